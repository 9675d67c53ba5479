package roster.acceptance.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Requests to the HTTP ports of a server on this machine. */
public final class Http {
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

  /** An answer; {@code type} is the content type without its parameters. */
  public record Answer(int status, String type, String body) {}

  private Http() {}

  public static Answer get(int port, String path) throws IOException {
    return send(request(port, path).GET().build());
  }

  public static Answer postJson(int port, String path, String json) throws IOException {
    return send(
        request(port, path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build());
  }

  /** The status of a GET whose path goes out byte for byte, which no HTTP library does with a bad one. */
  public static int rawStatus(int port, String path) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) TIMEOUT.toMillis());
      var head = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      var line = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
      Check.that(line != null && line.matches("HTTP/1\\.1 \\d{3}.*"), "answer to %s begins with %s", path, line);
      return Integer.parseInt(line.substring(9, 12));
    }
  }

  /** How many sessions a client that asks now is told. */
  public static int serverCount(int port) throws IOException {
    return get(port, "/api/servers/query").body().split(";").length;
  }

  static boolean isReady(int port) {
    try {
      return get(port, "/health/check").status() == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  static boolean isAlive(int port) {
    try {
      var answer = get(port, "/api/servers/alive");
      return answer.status() == 200 && answer.body().equals("OK");
    } catch (IOException notYet) {
      return false;
    }
  }

  private static HttpRequest.Builder request(int port, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(TIMEOUT);
  }

  private static Answer send(HttpRequest request) throws IOException {
    try {
      var response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
      var type = response.headers().firstValue("content-type").orElse("").replaceFirst("\\s*;.*", "");
      return new Answer(response.statusCode(), type, response.body());
    } catch (InterruptedException interrupted) {
      throw new UncheckedIOException(new IOException("a case was interrupted", interrupted));
    }
  }
}

package roster.frameworks;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** For what only finds providers and leaves the calls to the application: an application that calls by HTTP. */
public final class HttpNames {
  private static final Duration CALL_LIMIT = Duration.ofSeconds(20);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CALL_LIMIT).build();
  private final AtomicInteger turn = new AtomicInteger();

  /** Answers with {@code name} on this port of 127.0.0.1, until the process ends. */
  public static void serve(String name, int port) throws IOException {
    var answer = name.getBytes(StandardCharsets.UTF_8);
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext(
        "/name",
        exchange -> {
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
  }

  /**
   * Returns the name that one of the addresses, each a host:port, answers with. Calls one after the other until one
   * takes the connection, as every balancer does, and begins with another one each time.
   */
  public String callNext(List<String> addresses) throws IOException, InterruptedException {
    int first = turn.getAndIncrement();
    IOException refused = new ConnectException("no address is known");
    for (int i = 0; i < addresses.size(); i++) {
      var uri = URI.create("http://" + addresses.get(Math.floorMod(first + i, addresses.size())) + "/name");
      try {
        return http.send(HttpRequest.newBuilder(uri).timeout(CALL_LIMIT).build(), BodyHandlers.ofString()).body();
      } catch (ConnectException error) {
        refused = error;
      }
    }
    throw refused;
  }
}

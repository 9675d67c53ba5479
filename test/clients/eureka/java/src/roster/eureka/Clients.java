package roster.eureka;

import com.netflix.discovery.shared.resolver.DefaultEndpoint;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Netflix' own clients of one server; they end with the case that asked for them. */
final class Clients implements AutoCloseable {
  // Clients ask each second, leases take three; the rest is for a machine that is busy.
  private static final long WAIT_MS = 30_000;
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final AtomicInteger APPS = new AtomicInteger();
  private final String url;
  private final String nacos;
  private final Deque<Runnable> ends = new ArrayDeque<>();

  Clients(String url, String nacos) {
    this.url = url;
    this.nacos = nacos;
  }

  String url() {
    return url;
  }

  /** A name that no other case uses. */
  static String app() {
    return "app-" + ProcessHandle.current().pid() + "-" + APPS.incrementAndGet();
  }

  Application start(Self self) {
    return start(self, new Settings(url));
  }

  Application start(Self self, Settings settings) {
    var application = new Application(self, settings);
    ends.push(application.client::shutdown);
    return application;
  }

  /** An application that only looks for others. */
  Application consumer() {
    var settings = new Settings(url);
    settings.isRegistered = false;
    return start(new Self(app(), "10.9.9.9"), settings);
  }

  /** A process of its own, which can be killed. */
  Process startProcess(String app, String ip) throws IOException {
    var java = ProcessHandle.current().info().command().orElse("java");
    var command = List.of(java, "-cp", System.getProperty("java.class.path"), Main.class.getName());
    var arguments = List.of("--application", url, app, ip);
    var process = new ProcessBuilder(Stream.concat(command.stream(), arguments.stream()).toList()).inheritIO().start();
    ends.push(process::destroyForcibly);
    return process;
  }

  EurekaHttpClient requests() {
    return requests(new Settings(url));
  }

  /** The requests of the client, one by one. */
  @SuppressWarnings({"rawtypes", "unchecked"})
  EurekaHttpClient requests(Settings settings) {
    var self = new Self(app(), "10.9.9.8").info();
    TransportClientFactory factory = Generation.factories().newTransportClientFactory(settings, List.of(), self);
    ends.push(factory::shutdown);
    return factory.newClient(new DefaultEndpoint(url));
  }

  /** A request by Nacos' protocol to the same registry. Returns the body of the answer. */
  String nacos(String method, String pathAndQuery) throws IOException, InterruptedException {
    var uri = URI.create("http://" + nacos + "/nacos/v1/ns" + pathAndQuery);
    return send(HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()), 200);
  }

  /** A request with XML, which the client itself does not send. Returns the body of the answer. */
  String xml(String method, String path, String body, int status) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(url + path)).method(method, BodyPublishers.ofString(body));
    return send(request.header("content-type", "application/xml").header("accept", "application/xml"), status);
  }

  private static String send(HttpRequest.Builder request, int status) throws IOException, InterruptedException {
    var response = HTTP.send(request.build(), BodyHandlers.ofString());
    same(status, response.statusCode());
    return response.body();
  }

  /** Waits until the question has the expected answer. */
  static <T> void eventually(Callable<T> question, T expected) throws Exception {
    eventually(question, expected::equals, "" + expected);
  }

  static <T> void eventually(Callable<T> question, Predicate<T> isExpected, String expected) throws Exception {
    long end = System.nanoTime() + WAIT_MS * 1_000_000;
    T answer = question.call();
    while (!isExpected.test(answer)) {
      if (System.nanoTime() > end) throw new AssertionError("still " + answer + " instead of " + expected);
      Thread.sleep(20);
      answer = question.call();
    }
  }

  static void same(Object expected, Object found) {
    if (!String.valueOf(expected).equals(String.valueOf(found))) {
      throw new AssertionError("found " + found + " instead of " + expected);
    }
  }

  @Override
  public void close() {
    while (!ends.isEmpty()) ends.pop().run();
  }
}

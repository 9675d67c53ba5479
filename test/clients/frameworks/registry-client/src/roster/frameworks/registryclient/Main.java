package roster.frameworks.registryclient;

import com.alipay.sofa.registry.client.api.model.RegistryType;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.core.model.ScopeEnum;
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
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import roster.frameworks.Framework;
import roster.frameworks.Program;

/** The registry's own client, in an application that serves HTTP and calls what it is told of in turn. */
public final class Main implements Framework {
  private static final Duration CALL_LIMIT = Duration.ofSeconds(20);

  private final String service;
  private final DefaultRegistryClient client;
  private final AtomicInteger turn = new AtomicInteger();
  private volatile List<String> addresses = List.of();
  private HttpServer server;

  private Main(String registry, String service) {
    this.service = service;
    var host = registry.substring(0, registry.indexOf(':'));
    int port = Integer.parseInt(registry.substring(registry.indexOf(':') + 1));
    var config =
        DefaultRegistryClientConfigBuilder.start()
            .setRegistryEndpoint(host)
            .setRegistryEndpointPort(port)
            .setAppName("frameworks")
            .build();
    client = new DefaultRegistryClient(config);
    client.init();
  }

  public static void main(String[] arguments) throws Exception {
    Program.run(arguments, Main::new);
  }

  @Override
  public void provide(String name, int port) throws IOException {
    if (server == null) server = serve(name, port);
    client.register(new PublisherRegistration(service), "127.0.0.1:" + port);
  }

  @Override
  public void withdraw() {
    client.unregister(service, null, RegistryType.PUBLISHER);
  }

  @Override
  public Callable<String> consume() throws InterruptedException {
    var subscription =
        new SubscriberRegistration(
            service,
            (dataId, data) -> addresses = data.getZoneData().values().stream().flatMap(List::stream).toList());
    subscription.setScopeEnum(ScopeEnum.global);
    client.register(subscription);
    while (addresses.isEmpty()) Thread.sleep(10);
    var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CALL_LIMIT).build();
    return () -> callNext(http);
  }

  /** Calls one address after the other until one takes the connection, as every balancer does. */
  private String callNext(HttpClient http) throws IOException, InterruptedException {
    var known = addresses;
    int first = turn.getAndIncrement();
    IOException refused = new ConnectException("no address is known");
    for (int i = 0; i < known.size(); i++) {
      var uri = URI.create("http://" + known.get(Math.floorMod(first + i, known.size())) + "/name");
      try {
        return http.send(HttpRequest.newBuilder(uri).timeout(CALL_LIMIT).build(), BodyHandlers.ofString()).body();
      } catch (ConnectException error) {
        refused = error;
      }
    }
    throw refused;
  }

  private static HttpServer serve(String name, int port) throws IOException {
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
    return server;
  }
}

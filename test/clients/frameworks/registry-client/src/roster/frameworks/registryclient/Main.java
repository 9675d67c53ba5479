package roster.frameworks.registryclient;

import com.alipay.sofa.registry.client.api.model.RegistryType;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import roster.frameworks.Framework;
import roster.frameworks.HttpNames;
import roster.frameworks.Program;

/** The registry's own client, in an application that serves HTTP and calls what it is told of in turn. */
public final class Main implements Framework {
  private final String service;
  private final DefaultRegistryClient client;
  private volatile List<String> addresses = List.of();
  private boolean isServing;

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
    if (!isServing) HttpNames.serve(name, port);
    isServing = true;
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
    var http = new HttpNames();
    return () -> http.callNext(addresses);
  }
}

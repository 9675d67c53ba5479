package roster.frameworks.sofarpc;

import com.alipay.sofa.rpc.config.ApplicationConfig;
import com.alipay.sofa.rpc.config.ConsumerConfig;
import com.alipay.sofa.rpc.config.ProviderConfig;
import com.alipay.sofa.rpc.config.RegistryConfig;
import com.alipay.sofa.rpc.config.ServerConfig;
import com.alipay.sofa.rpc.registry.RegistryFactory;
import java.util.concurrent.Callable;
import roster.frameworks.Framework;
import roster.frameworks.Program;

/** SOFARPC over Bolt. */
public final class Main implements Framework {
  private static final int CALL_LIMIT_MS = 20_000;

  /** What is called: a provider says its name. */
  public interface Names {
    String name();
  }

  private final ApplicationConfig application = new ApplicationConfig().setAppName("frameworks");
  private final RegistryConfig registry;
  private final String service;
  private ProviderConfig<Names> provider;

  private Main(String address, String service) {
    this.service = service;
    registry = new RegistryConfig().setProtocol("sofa").setAddress(address);
  }

  public static void main(String[] arguments) throws Exception {
    Program.run(arguments, Main::new);
  }

  @Override
  public void provide(String name, int port) {
    if (provider == null) {
      var server = new ServerConfig().setProtocol("bolt").setVirtualHost("127.0.0.1").setPort(port);
      provider =
          new ProviderConfig<Names>()
              .setApplication(application)
              .setInterfaceId(Names.class.getName())
              .setUniqueId(service)
              .setRef(() -> name)
              .setRegistry(registry)
              .setServer(server);
      provider.export();
    } else {
      RegistryFactory.getRegistry(registry).register(provider);
    }
  }

  /** Not unExport, which closes the server before consumers can have heard of it. */
  @Override
  public void withdraw() {
    RegistryFactory.getRegistry(registry).unRegister(provider);
  }

  @Override
  public Callable<String> consume() {
    var consumer =
        new ConsumerConfig<Names>()
            .setApplication(application)
            .setInterfaceId(Names.class.getName())
            .setUniqueId(service)
            .setProtocol("bolt")
            .setRegistry(registry)
            .setTimeout(CALL_LIMIT_MS);
    return consumer.refer()::name;
  }
}

package roster.frameworks.dubbo;

import java.util.concurrent.Callable;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import roster.frameworks.Framework;
import roster.frameworks.Program;

/** Dubbo's own protocol, with its extension for SOFARegistry, or the registry that the scheme of the address names. */
public final class Main implements Framework {
  private static final int CALL_LIMIT_MS = 20_000;

  /** What is called: a provider says its name. */
  public interface Names {
    String name();
  }

  private final RegistryConfig registry;
  private ServiceConfig<Names> provider;

  private Main(String address, String service) {
    var application = new ApplicationConfig("frameworks");
    // Each process would take the same port for its console.
    application.setQosEnable(false);
    DubboBootstrap.getInstance().application(application);
    if (address.contains("://")) {
      registry = new RegistryConfig(address);
    } else {
      registry = new RegistryConfig("sofa://" + address);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Program.run(arguments, Main::new);
  }

  @Override
  public void provide(String name, int port) {
    var protocol = new ProtocolConfig("dubbo", port);
    protocol.setHost("127.0.0.1");
    // One that was taken out can't be exported again.
    provider = new ServiceConfig<>();
    provider.setRegistry(registry);
    provider.setProtocol(protocol);
    provider.setInterface(Names.class);
    provider.setRef(() -> name);
    provider.export();
  }

  @Override
  public void withdraw() {
    provider.unexport();
  }

  @Override
  public Callable<String> consume() {
    var consumer = new ReferenceConfig<Names>();
    consumer.setRegistry(registry);
    consumer.setInterface(Names.class);
    consumer.setTimeout(CALL_LIMIT_MS);
    return consumer.get()::name;
  }
}

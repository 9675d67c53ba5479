package roster.frameworks.seata;

import io.seata.discovery.registry.RegistryFactory;
import io.seata.discovery.registry.RegistryService;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.Callable;
import roster.frameworks.Framework;
import roster.frameworks.HttpNames;
import roster.frameworks.Program;

/** Seata's discovery: what its server says of itself, and where its clients look for servers before each connection. */
public final class Main implements Framework {
  /** What registry.conf maps to the servers' cluster. */
  private static final String TRANSACTION_GROUP = "frameworks_group";

  private final RegistryService<?> registry = RegistryFactory.getInstance();
  private InetSocketAddress provided;

  private Main(String address, String service) {}

  public static void main(String[] arguments) throws Exception {
    Program.run(arguments, Main::new);
  }

  @Override
  public void provide(String name, int port) throws Exception {
    if (provided == null) HttpNames.serve(name, port);
    provided = new InetSocketAddress("127.0.0.1", port);
    registry.register(provided);
  }

  @Override
  public void withdraw() throws Exception {
    registry.unregister(provided);
  }

  @Override
  public Callable<String> consume() throws Exception {
    while (servers().isEmpty()) Thread.sleep(10);
    var http = new HttpNames();
    return () -> http.callNext(servers());
  }

  private List<String> servers() throws Exception {
    return registry.lookup(TRANSACTION_GROUP).stream()
        .map(server -> server.getHostString() + ":" + server.getPort())
        .toList();
  }
}

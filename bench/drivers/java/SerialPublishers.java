import com.alipay.sofa.registry.client.api.Publisher;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfig;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.client.provider.DirectServerManager;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;

/**
 * Registers by SOFARegistry's own client, unchanged: a client has one connection and sends the next registration when
 * the last one is answered. Arguments: host, Bolt port, instances, services, clients. For each line on its standard
 * input, the name of a workload, it registers so many instances and prints "took" and the milliseconds until all are
 * acknowledged; other lines are the client's own.
 */
public final class SerialPublishers {
  private static final long POLL_MS = 1;
  private static final int INSTANCE_BYTES = 150;

  public static void main(String[] args) throws Exception {
    int instances = Integer.parseInt(args[2]);
    int services = Integer.parseInt(args[3]);
    List<DefaultRegistryClient> clients = new ArrayList<>();
    for (int number = 0; number < Integer.parseInt(args[4]); number++) {
      clients.add(connect(args[0], Integer.parseInt(args[1])));
    }
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String workload = lines.readLine(); workload != null; workload = lines.readLine()) {
      System.out.println("took " + register(clients, workload, instances, services));
    }
    System.exit(0);
  }

  private static long register(List<DefaultRegistryClient> clients, String workload, int instances, int services)
      throws InterruptedException {
    long start = System.nanoTime();
    List<Publisher> publishers = new ArrayList<>(instances);
    for (int number = 0; number < instances; number++) {
      String dataId = "com.example.bench.%s.Service%05d:1.0@DEFAULT".formatted(workload, number % services);
      publishers.add(clients.get(number % clients.size()).register(new PublisherRegistration(dataId), text(number)));
    }
    for (Publisher publisher : publishers) {
      while (!publisher.isRegistered()) {
        Thread.sleep(POLL_MS);
      }
    }
    return (System.nanoTime() - start) / 1_000_000;
  }

  private static DefaultRegistryClient connect(String host, int port) {
    DefaultRegistryClientConfig config =
        DefaultRegistryClientConfigBuilder.start()
            .setAppName("bench")
            .setRegistryEndpoint(host)
            .setRegistryEndpointPort(port)
            .build();
    DefaultRegistryClient client = new DefaultRegistryClient(config);
    client.setServerManager(new DirectServerManager(config));
    client.init();
    return client;
  }

  private static String text(int number) {
    String address = "10.%d.%d.%d:12200".formatted(number >> 16, (number >> 8) & 0xff, number & 0xff);
    StringBuilder text = new StringBuilder(address + "?rpcVer=50803&serialization=hessian2&weight=100&timeout=3000");
    while (text.length() < INSTANCE_BYTES) {
      text.append("&language=java");
    }
    return text.substring(0, INSTANCE_BYTES);
  }
}

package example;

import com.alipay.sofa.registry.client.api.model.UserData;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Publishes an address under a service, subscribes to it, and waits to see it: {@code java ... example.Main HOST PORT
 * SERVICE}, with the client key in ROSTER_ACCESS_KEY and ROSTER_SECRET. PORT is the session's http-port, 9603.
 */
public final class Main {
  private static final String ADDRESS = "10.0.0.7:12200";
  private static final int WAIT_SECONDS = 10;

  private Main() {}

  public static void main(String[] args) throws InterruptedException {
    var config =
        DefaultRegistryClientConfigBuilder.start()
            .setAppName("example")
            .setRegistryEndpoint(args[0])
            .setRegistryEndpointPort(Integer.parseInt(args[1]))
            .build();
    var client = new DefaultRegistryClient(config);
    client.setAuthManager(
        new SigningAuthManager(System.getenv("ROSTER_ACCESS_KEY"), System.getenv("ROSTER_SECRET")));
    client.init();

    var seen = new CountDownLatch(1);
    var subscription =
        new SubscriberRegistration(
            args[2],
            (dataId, data) -> {
              if (addressesIn(data).contains(ADDRESS)) seen.countDown();
            });
    subscription.setScopeEnum(ScopeEnum.dataCenter);
    client.register(subscription);
    client.register(new PublisherRegistration(args[2]), ADDRESS);

    boolean isSeen = seen.await(WAIT_SECONDS, TimeUnit.SECONDS);
    System.out.println(isSeen ? "seen: " + ADDRESS : "not seen within " + WAIT_SECONDS + " s");
    // The client's threads would keep the process.
    System.exit(isSeen ? 0 : 1);
  }

  private static Collection<String> addressesIn(UserData data) {
    return data.getZoneData().values().stream().flatMap(Collection::stream).toList();
  }
}

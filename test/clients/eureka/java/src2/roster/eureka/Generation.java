package roster.eureka;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.transport.jersey.TransportClientFactories;
import com.netflix.discovery.shared.transport.jersey3.Jersey3TransportClientFactories;

/** What only the newer generation of the client has, which speaks through Jersey 3. */
final class Generation {
  private Generation() {}

  @SuppressWarnings("rawtypes")
  static TransportClientFactories factories() {
    return Jersey3TransportClientFactories.getInstance();
  }

  static DiscoveryClient start(ApplicationInfoManager self, EurekaClientConfig config, Calls calls) {
    return new DiscoveryClient(self, config, calls.counted(TransportClientFactories.class, factories()));
  }
}

package roster.eureka;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.discovery.AbstractDiscoveryClientOptionalArgs;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.transport.jersey.Jersey1TransportClientFactories;
import com.netflix.discovery.shared.transport.jersey.TransportClientFactories;

/** What only the older generation of the client has, which speaks through Jersey 1. */
final class Generation {
  private Generation() {}

  @SuppressWarnings("rawtypes")
  static TransportClientFactories factories() {
    return new Jersey1TransportClientFactories();
  }

  static DiscoveryClient start(ApplicationInfoManager self, EurekaClientConfig config, Calls calls) {
    AbstractDiscoveryClientOptionalArgs<?> arguments = new DiscoveryClient.DiscoveryClientOptionalArgs();
    arguments.setTransportClientFactories(calls.counted(TransportClientFactories.class, factories()));
    return new DiscoveryClient(self, config, arguments);
  }
}

package roster.eureka;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.DiscoveryClient;
import java.util.List;
import java.util.stream.Collectors;

/** An application with Netflix' own client. */
final class Application {
  final DiscoveryClient client;
  final ApplicationInfoManager self;
  final Calls calls = new Calls();

  Application(Self self, Settings settings) {
    var info = self.info();
    // The client takes its first status for one that it has been given just now.
    this.self = new ApplicationInfoManager(self, info);
    client = Generation.start(this.self, settings, calls);
  }

  InstanceInfo info() {
    return self.getInfo();
  }

  /** The instances that it sees of an application, of any status. */
  List<InstanceInfo> instances(String app) {
    var application = client.getApplication(app);
    return application == null ? List.of() : application.getInstancesAsIsFromEureka();
  }

  /** What it sees of an application: addresses and statuses, in order. */
  String sees(String app) {
    return instances(app).stream()
        .map(one -> one.getIPAddr() + " " + one.getStatus())
        .sorted()
        .collect(Collectors.joining(", "));
  }
}

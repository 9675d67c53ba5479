package roster.eureka;

import static roster.eureka.Clients.app;
import static roster.eureka.Clients.eventually;
import static roster.eureka.Clients.same;

import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The life of an instance: registered, kept, changed, taken out by operators, gone. */
final class LifeCases {
  private LifeCases() {}

  static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("heartbeats keep an instance for longer than its lease", LifeCases::heartbeats);
    cases.put("an instance that is killed is gone when its lease is over", LifeCases::killed);
    cases.put("an application that is shut down is gone at once", LifeCases::shutDown);
    cases.put("one that was taken back by others registers again", LifeCases::cancelled);
    cases.put("a status that an application gives itself is seen", LifeCases::status);
    cases.put("a health check that fails takes the application out", LifeCases::healthCheck);
    cases.put("metadata that changes is seen", LifeCases::metadata);
    cases.put("an operator's status outlives heartbeats and new registrations", LifeCases::override);
    cases.put("an operator's status is taken back", LifeCases::overrideRemoved);
    cases.put("an application that says DOWN is believed, whatever an operator says", LifeCases::overriddenDown);
    cases.put("an application that begins anew is in the place of the one before", LifeCases::again);
    cases.put("a client goes to the next server when the first is not there", LifeCases::nextServer);
    return cases;
  }

  private static void heartbeats(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    eventually(() -> provider.calls.of("sendHeartBeat") > 2 * Self.LEASE_S, true);
    same("10.0.0.1 UP", consumer.sees(app));
    // A heartbeat that is answered with 404 is followed by a registration.
    same(1, provider.calls.of("register"));
  }

  private static void killed(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    clients.start(new Self(app, "10.0.0.1"));
    var process = clients.startProcess(app, "10.0.0.2");
    eventually(() -> consumer.sees(app), "10.0.0.1 UP, 10.0.0.2 UP");
    process.destroyForcibly().waitFor();
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
  }

  private static void shutDown(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    // A heartbeat that is under way in that moment finds nothing, and the client then registers again.
    var provider = clients.start(Self.withoutHeartbeats(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    provider.client.shutdown();
    same(404, clients.requests().getApplication(app).getStatusCode());
    eventually(() -> consumer.sees(app), "");
  }

  private static void cancelled(Clients clients) throws Exception {
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    var requests = clients.requests();
    eventually(() -> requests.getApplication(app).getStatusCode(), 200);
    String id = provider.info().getId();
    same(200, requests.cancel(provider.info().getAppName(), id).getStatusCode());
    same(404, requests.cancel(provider.info().getAppName(), id).getStatusCode());
    eventually(() -> requests.getInstance(id).getStatusCode(), 200);
    eventually(() -> provider.calls.of("register") > 1, true);
  }

  private static void status(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    for (var status : new InstanceStatus[] {InstanceStatus.DOWN, InstanceStatus.STARTING, InstanceStatus.UP}) {
      provider.self.setInstanceStatus(status);
      eventually(() -> consumer.sees(app), "10.0.0.1 " + status);
    }
    provider.self.setInstanceStatus(InstanceStatus.OUT_OF_SERVICE);
    // Among statuses that take part the one that is listed stays: only an operator takes it out.
    eventually(() -> provider.calls.of("register"), 5);
    same("10.0.0.1 UP", consumer.sees(app));
  }

  private static void healthCheck(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    var health = new InstanceStatus[] {InstanceStatus.UP};
    provider.client.registerHealthCheck(current -> health[0]);
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    health[0] = InstanceStatus.DOWN;
    eventually(() -> consumer.sees(app), "10.0.0.1 DOWN");
    eventually(() -> consumer.client.getApplication(app).getInstances().size(), 0);
    health[0] = InstanceStatus.UP;
    eventually(() -> consumer.client.getApplication(app).getInstances().size(), 1);
  }

  private static void metadata(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var self = new Self(app, "10.0.0.1");
    self.metadata = new HashMap<>(Map.of("version", "1"));
    var provider = clients.start(self);
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    same(Map.of("version", "1"), consumer.instances(app).get(0).getMetadata());
    provider.self.registerAppMetadata(Map.of("version", "2", "weight", "50"));
    var expected = new HashMap<>(Map.of("version", "2", "weight", "50"));
    eventually(() -> new HashMap<>(consumer.instances(app).get(0).getMetadata()), expected);
  }

  private static void override(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    setStatus(clients, provider, InstanceStatus.OUT_OF_SERVICE);
    eventually(() -> consumer.sees(app), "10.0.0.1 OUT_OF_SERVICE");
    eventually(() -> provider.client.getInstanceRemoteStatus(), InstanceStatus.OUT_OF_SERVICE);
    int before = provider.calls.of("sendHeartBeat");
    eventually(() -> provider.calls.of("sendHeartBeat") > before + 1, true);
    provider.self.registerAppMetadata(Map.of("version", "2"));
    eventually(() -> consumer.instances(app).get(0).getMetadata().get("version"), "2"::equals, "2");
    same("10.0.0.1 OUT_OF_SERVICE", consumer.sees(app));
    same(InstanceStatus.OUT_OF_SERVICE, consumer.instances(app).get(0).getOverriddenStatus());
  }

  private static void overrideRemoved(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    setStatus(clients, provider, InstanceStatus.OUT_OF_SERVICE);
    eventually(() -> consumer.sees(app), "10.0.0.1 OUT_OF_SERVICE");
    var info = provider.info();
    same(200, clients.requests().deleteStatusOverride(info.getAppName(), info.getId(), info).getStatusCode());
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    eventually(() -> provider.client.getInstanceRemoteStatus(), InstanceStatus.UP);
  }

  private static void overriddenDown(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    setStatus(clients, provider, InstanceStatus.OUT_OF_SERVICE);
    provider.self.setInstanceStatus(InstanceStatus.DOWN);
    eventually(() -> consumer.sees(app), "10.0.0.1 DOWN");
    provider.self.setInstanceStatus(InstanceStatus.UP);
    eventually(() -> consumer.sees(app), "10.0.0.1 OUT_OF_SERVICE");
  }

  private static void again(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    var first = clients.startProcess(app, "10.0.0.1");
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    first.destroyForcibly().waitFor();
    var self = new Self(app, "10.0.0.1");
    self.metadata = Map.of("start", "second");
    clients.start(self);
    eventually(() -> consumer.instances(app).get(0).getMetadata().get("start"), "second"::equals, "second");
    same("10.0.0.1 UP", consumer.sees(app));
  }

  private static void nextServer(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    // No program listens at this port, which only the machine's administrator may open.
    var provider = clients.start(new Self(app, "10.0.0.1"), new Settings("http://127.0.0.1:1/eureka/", clients.url()));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    eventually(() -> provider.sees(app), "10.0.0.1 UP");
  }

  private static void setStatus(Clients clients, Application of, InstanceStatus status) {
    var info = of.info();
    same(200, clients.requests().statusUpdate(info.getAppName(), info.getId(), status, info).getStatusCode());
  }
}

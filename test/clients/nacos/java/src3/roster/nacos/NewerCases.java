package roster.nacos;

import static roster.nacos.Clients.addresses;
import static roster.nacos.Clients.eventually;
import static roster.nacos.Clients.instance;
import static roster.nacos.Clients.refusal;
import static roster.nacos.Clients.same;
import static roster.nacos.Clients.service;

import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.AbstractFuzzyWatchEventWatcher;
import com.alibaba.nacos.api.naming.listener.FuzzyWatchChangeEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executor;

/** What only the newer generation of the client can do. */
public final class NewerCases {
  private NewerCases() {}

  public static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("a fuzzy watch tells the services of a pattern, as they come and go", NewerCases::fuzzyWatch);
    cases.put("a persistent instance outlives its client", NewerCases::persistent);
    cases.put("no ephemeral instance joins a persistent service", NewerCases::mixed);
    return cases;
  }

  private static void fuzzyWatch(Clients clients) throws Exception {
    NamingService provider = clients.naming();
    String prefix = service();
    provider.registerInstance(prefix + "-a", "10.0.0.1", 80);
    Set<String> seen = new ConcurrentSkipListSet<>();
    clients.naming().fuzzyWatch(prefix + "-*", "DEFAULT_GROUP", new AbstractFuzzyWatchEventWatcher() {
      @Override
      public void onEvent(FuzzyWatchChangeEvent event) {
        if (event.getChangeType().startsWith("DELETE")) seen.remove(event.getServiceName());
        else seen.add(event.getServiceName());
      }

      @Override
      public Executor getExecutor() {
        return null;
      }
    });
    eventually(seen::toString, "[" + prefix + "-a]");
    provider.registerInstance(prefix + "-b", "10.0.0.1", 80);
    eventually(seen::toString, "[" + prefix + "-a, " + prefix + "-b]");
    provider.deregisterInstance(prefix + "-a", "10.0.0.1", 80);
    eventually(seen::toString, "[" + prefix + "-b]");
  }

  private static void persistent(Clients clients) throws Exception {
    NamingService provider = clients.naming();
    NamingService consumer = clients.naming();
    String name = service();
    var stays = instance("10.0.0.1", 80);
    stays.setEphemeral(false);
    provider.registerInstance(name, stays);
    eventually(() -> addresses(consumer.getAllInstances(name, false)), "10.0.0.1:80");
    same(false, consumer.getAllInstances(name, false).get(0).isEphemeral());
    provider.shutDown();
    Thread.sleep(1_500);
    same("10.0.0.1:80", addresses(consumer.getAllInstances(name, false)));
    consumer.deregisterInstance(name, stays);
    eventually(() -> addresses(consumer.getAllInstances(name, false)), "");
  }

  private static void mixed(Clients clients) throws Exception {
    NamingService naming = clients.naming();
    String name = service();
    var stays = instance("10.0.0.1", 80);
    stays.setEphemeral(false);
    naming.registerInstance(name, stays);
    var refused = refusal(() -> {
      clients.naming().registerInstance(name, "10.0.0.2", 80);
      return null;
    });
    same(400, refused.getErrCode());
    naming.deregisterInstance(name, stays);
  }
}

package roster.nacos;

import static roster.nacos.Clients.eventually;
import static roster.nacos.Clients.same;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.AbstractFuzzyWatchEventWatcher;
import com.alibaba.nacos.api.config.listener.ConfigFuzzyWatchChangeEvent;
import com.alibaba.nacos.api.lock.LockService;
import com.alibaba.nacos.api.lock.NacosLockFactory;
import com.alibaba.nacos.client.lock.core.NLockFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;

/** Configuration and locks, as only the client of 3.x has them. */
final class NewerConfigCases {
  private static final String GROUP = "DEFAULT_GROUP";

  private NewerConfigCases() {}

  static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("configuration: a fuzzy watch tells what there is, and what comes and goes", NewerConfigCases::fuzzy);
    cases.put("configuration: a fuzzy watch lists the names of its pattern", NewerConfigCases::fuzzyKeys);
    cases.put("configuration: a fuzzy watch that has ended tells nothing", NewerConfigCases::fuzzyEnd);
    cases.put("configuration: fifty configurations of a pattern are told", NewerConfigCases::fuzzyMany);
    cases.put("lock: one client has it at a time", NewerConfigCases::lock);
    cases.put("lock: it is free when its time is over", NewerConfigCases::lockTime);
    return cases;
  }

  private static ConfigService config(Clients clients) throws Exception {
    var properties = properties(clients);
    return clients.keep(NacosFactory.createConfigService(properties), ConfigService::shutDown);
  }

  private static LockService locks(Clients clients) throws Exception {
    return clients.keep(NacosLockFactory.createLockService(properties(clients)), LockService::shutdown);
  }

  private static Properties properties(Clients clients) {
    var properties = new Properties();
    properties.put("serverAddr", clients.address());
    return properties;
  }

  /** The names that a watcher was told and that are there. */
  private static final class Names extends AbstractFuzzyWatchEventWatcher {
    final ConcurrentSkipListSet<String> names = new ConcurrentSkipListSet<>();

    @Override
    public void onEvent(ConfigFuzzyWatchChangeEvent event) {
      if (event.getChangedType().equals("DELETE_CONFIG")) names.remove(event.getDataId());
      else names.add(event.getDataId());
    }
  }

  private static void fuzzy(Clients clients) throws Exception {
    var config = config(clients);
    String base = ConfigCases.dataId();
    ConfigCases.publishAnew(config, base + "-a", "x");
    ConfigCases.publishAnew(config, "other-" + base, "x");
    var told = new Names();
    config(clients).fuzzyWatch(base + "-*", GROUP, told);
    eventually(() -> "" + told.names, "[" + base + "-a]");
    ConfigCases.publishAnew(config, base + "-b", "x");
    eventually(() -> "" + told.names, "[" + base + "-a, " + base + "-b]");
    config.removeConfig(base + "-a", GROUP);
    eventually(() -> "" + told.names, "[" + base + "-b]");
  }

  private static void fuzzyKeys(Clients clients) throws Exception {
    var config = config(clients);
    String base = ConfigCases.dataId();
    for (var end : List.of("1", "2", "3")) ConfigCases.publishAnew(config, base + "-" + end, "x");
    var keys = config(clients).fuzzyWatchWithGroupKeys(base + "-*", GROUP, new Names()).get();
    same(3, new TreeSet<>(keys).size());
    same(true, keys.stream().allMatch(key -> key.contains(base)));
  }

  private static void fuzzyEnd(Clients clients) throws Exception {
    var config = config(clients);
    var watcher = config(clients);
    String base = ConfigCases.dataId();
    var gone = new Names();
    watcher.fuzzyWatch(base + "-*", GROUP, gone);
    var stays = new Names();
    config(clients).fuzzyWatch(base + "-*", GROUP, stays);
    ConfigCases.publishAnew(config, base + "-a", "x");
    eventually(() -> "" + gone.names, "[" + base + "-a]");
    watcher.cancelFuzzyWatch(base + "-*", GROUP, gone);
    Thread.sleep(500);
    ConfigCases.publishAnew(config, base + "-b", "x");
    eventually(() -> stays.names.size(), 2);
    same(1, gone.names.size());
  }

  private static void fuzzyMany(Clients clients) throws Exception {
    var config = config(clients);
    String base = ConfigCases.dataId();
    for (int at = 0; at < 50; at++) ConfigCases.publishAnew(config, base + "-" + at, "x");
    var told = new Names();
    config(clients).fuzzyWatch(base + "-*", GROUP, told);
    eventually(() -> told.names.size(), 50);
  }

  private static void lock(Clients clients) throws Exception {
    var one = locks(clients);
    var other = locks(clients);
    String name = ConfigCases.dataId();
    var lock = NLockFactory.getLock(name, 60_000L);
    same(true, one.lock(lock));
    same(false, other.lock(NLockFactory.getLock(name, 60_000L)));
    same(true, one.unLock(lock));
    same(true, other.lock(NLockFactory.getLock(name, 60_000L)));
    same(true, other.unLock(NLockFactory.getLock(name, 60_000L)));
  }

  private static void lockTime(Clients clients) throws Exception {
    var locks = locks(clients);
    String name = ConfigCases.dataId();
    same(true, locks.lock(NLockFactory.getLock(name, 200L)));
    eventually(() -> locks.lock(NLockFactory.getLock(name, 60_000L)), true);
  }
}

package roster.acceptance.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** Many of everything, on a machine of two cores that other cases use at the same time. */
public final class LoadCases {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private LoadCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("load.50_connections", scene -> subscribers(scene, 50, 1)),
        Case.of("load.200_subscribers_of_one_service", scene -> subscribers(scene, 20, 10)),
        Case.of("load.300_services_in_one_client", scene -> services(scene, 300)),
        Case.of("load.1000_publishers_in_one_client", scene -> services(scene, 1_000)),
        Case.of("load.1000_publishers_of_one_service", LoadCases::crowdedService));
  }

  private static void subscribers(Scene scene, int clients, int perClient) throws Exception {
    var service = scene.dataId("s");
    List<Watch> watches = new ArrayList<>();
    for (var client : clients(scene, clients)) {
      IntStream.range(0, perClient).forEach(index -> watches.add(client.watch(service)));
    }
    var publisher = scene.client().publish(service, "a");
    watches.forEach(watch -> awaitValue(watch, "a"));
    long changed = System.nanoTime();
    publisher.republish("b");
    watches.forEach(watch -> awaitValue(watch, "b"));
    scene.note("a change reached all %d in %d ms", watches.size(), msSince(changed));
  }

  private static void services(Scene scene, int count) throws Exception {
    var subscriber = scene.client();
    var publisher = scene.client();
    long start = System.nanoTime();
    List<Watch> watches = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      watches.add(subscriber.watch(scene.dataId("s" + index)));
      publisher.publish(scene.dataId("s" + index), "value-" + index);
    }
    for (int index = 0; index < count; index++) {
      awaitValue(watches.get(index), "value-" + index);
    }
    scene.note("all visible after %d ms", msSince(start));
  }

  private static void crowdedService(Scene scene) throws Exception {
    int clients = 20;
    int perClient = 50;
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    watch.awaitFirst();
    long start = System.nanoTime();
    int next = 0;
    for (var client : clients(scene, clients)) {
      // The client knows registrations apart by object, so one service can have many publishers in it.
      for (int index = 0; index < perClient; index++) {
        client.publish(service, "value-" + next++);
      }
    }
    watch.awaitCount(clients * perClient, LIMIT);
    scene.note("all visible after %d ms in %d calls", msSince(start), watch.calls().size());
    Set<String> distinct = watch.latest().values().stream().collect(Collectors.toSet());
    Check.equal(clients * perClient, distinct.size(), "distinct values");
    var sizes = watch.calls().stream().map(seen -> seen.values().size()).toList();
    Check.equal(sizes.stream().sorted().toList(), sizes, "sizes of the lists shown");
  }

  private static List<Client> clients(Scene scene, int count) throws Exception {
    List<Client> clients = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      clients.add(scene.client());
    }
    return clients;
  }

  private static void awaitValue(Watch watch, String value) {
    watch.await(LIMIT, value, seen -> seen.values().equals(List.of(value)));
  }

  private static long msSince(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos).toMillis();
  }
}

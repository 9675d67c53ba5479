package roster.acceptance.cases;

import com.alipay.sofa.registry.client.api.Publisher;
import com.alipay.sofa.registry.client.auth.AuthManager;
import com.alipay.sofa.registry.core.model.BaseRegister;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** The newest wins, and nothing goes back. (That no push's version does is checked in every case.) */
public final class OrderCases {
  private static final int BURST = 100;
  private static final int PACED = 40;
  private static final Duration PACE = Duration.ofMillis(50);
  private static final int FLAPS = 20;
  /** A closed connection's data goes after a grace of about a second; by then it would have gone. */
  private static final Duration PAST_GRACE = Duration.ofSeconds(3);

  private OrderCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("order.burst_of_100_republishes_ends_at_the_last", scene -> republish(scene, BURST, Duration.ZERO)),
        Case.of("order.paced_republishes_only_go_forward", scene -> republish(scene, PACED, PACE)),
        Case.of("order.flapping_publisher_that_stays", scene -> flap(scene, true)),
        Case.of("order.flapping_publisher_that_leaves", scene -> flap(scene, false)),
        Case.of("order.same_regist_id_the_newer_wins", OrderCases::newerWins),
        Case.of("order.same_regist_id_a_lower_version_loses", OrderCases::lowerVersionLoses),
        Case.of("order.closing_the_older_owner_keeps_the_newer_data", OrderCases::closingTheOlder));
  }

  private static void republish(Scene scene, int times, Duration pace) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    watch.awaitFirst();
    var publisher = scene.client().publish(service, "0");
    for (int value = 1; value <= times; value++) {
      Await.pass(pace);
      publisher.republish("" + value);
    }
    watch.awaitExactly("" + times);
    var values = watch.calls().stream().flatMap(seen -> seen.values().stream()).map(Integer::valueOf).toList();
    Check.equal(values.stream().sorted().toList(), values, "values in the order they were shown");
    scene.note("%d calls for %d changes", watch.calls().size(), times);
  }

  private static void flap(Scene scene, boolean stays) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    watch.awaitFirst();
    var client = scene.client();
    Publisher publisher = null;
    for (int round = 0; round < FLAPS; round++) {
      if (publisher != null) {
        publisher.unregister();
      }
      publisher = client.publish(service, "round-" + round);
    }
    if (!stays) {
      publisher.unregister();
    }
    client.awaitSettled();
    if (stays) {
      watch.awaitExactly("round-" + (FLAPS - 1));
    } else {
      watch.awaitNothing();
    }
  }

  private static void newerWins(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var id = new SameRegistId();
    var watch = scene.client().watch(service);
    scene.clientWith(id).publish(service, "old");
    watch.awaitExactly("old");
    scene.clientWith(id).publish(service, "new");
    watch.awaitExactly("new");
  }

  private static void lowerVersionLoses(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var id = new SameRegistId();
    var watch = scene.client().watch(service);
    var higher = scene.clientWith(id).publish(service, "version 1");
    watch.awaitExactly("version 1");
    higher.republish("version 2");
    watch.awaitExactly("version 2");
    var late = scene.clientWith(id);
    long before = System.nanoTime();
    late.publish(service, "late version 1");
    Await.pass(PAST_GRACE);
    var shown = watch.callsSince(before).stream().filter(seen -> !seen.values().equals(List.of("version 2"))).toList();
    Check.equal(List.of(), shown, "calls with anything but version 2");
  }

  private static void closingTheOlder(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var id = new SameRegistId();
    var watch = scene.client().watch(service);
    var older = scene.clientWith(id);
    older.publish(service, "old");
    watch.awaitExactly("old");
    var newer = scene.clientWith(id).publish(service, "new");
    watch.awaitExactly("new");
    long closed = System.nanoTime();
    older.close();
    Await.pass(PAST_GRACE);
    var shown = watch.callsSince(closed).stream().filter(seen -> !seen.values().equals(List.of("new"))).toList();
    Check.equal(List.of(), shown, "calls without the newer data");
    newer.republish("newest");
    watch.await(Watch.LIMIT, "the newer owner's next change", seen -> seen.values().equals(List.of("newest")));
  }

  /**
   * Gives all publishers of its clients one registId. The client asks this when it has put a registration together and
   * is about to send it, so what is set here is what goes out.
   */
  private static final class SameRegistId implements AuthManager {
    private final String registId = UUID.randomUUID().toString();

    @Override
    public Map<String, String> getAuthContent(BaseRegister register) {
      register.setRegistId(registId);
      return Map.of();
    }
  }
}

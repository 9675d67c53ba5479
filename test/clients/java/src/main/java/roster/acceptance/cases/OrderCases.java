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
        Case.of("order.same_regist_id_its_living_owner_keeps_it", OrderCases::ownerKeepsIt),
        Case.of("order.same_regist_id_a_lower_version_loses", OrderCases::lowerVersionLoses),
        Case.of("order.closing_the_owner_lets_the_other_have_it", OrderCases::closingTheOwner));
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

  private static void ownerKeepsIt(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var id = new SameRegistId();
    var watch = scene.client().watch(service);
    var owner = scene.clientWith(id).publish(service, "owner's");
    watch.awaitExactly("owner's");
    long before = System.nanoTime();
    var other = scene.clientWith(id).publish(service, "other's");
    Await.pass(PAST_GRACE);
    var shown = watch.callsSince(before).stream().filter(seen -> !seen.values().equals(List.of("owner's"))).toList();
    Check.equal(List.of(), shown, "calls with anything but the owner's data");
    Check.equal(false, other.isRegistered(), "the other one is told that it has not registered");
    owner.republish("owner's next");
    watch.awaitExactly("owner's next");
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

  private static void closingTheOwner(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var id = new SameRegistId();
    var watch = scene.client().watch(service);
    var owner = scene.clientWith(id);
    owner.publish(service, "owner's");
    watch.awaitExactly("owner's");
    var other = scene.clientWith(id).publish(service, "other's");
    long closed = System.nanoTime();
    owner.close();
    watch.awaitExactly("other's");
    var shown = watch.callsSince(closed).stream().filter(seen -> seen.values().size() != 1).toList();
    Check.equal(List.of(), shown, "calls with anything but one of the two");
    other.republish("other's next");
    watch.awaitExactly("other's next");
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

package roster.acceptance.cases;

import java.time.Duration;
import java.util.List;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** Publishing, subscribing and taking both back. */
public final class BasicCases {
  /** A push that was going to come has come after this. */
  private static final Duration QUIET = Duration.ofSeconds(1);

  private BasicCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("basic.publish_then_subscribe", BasicCases::publishThenSubscribe),
        Case.of("basic.subscribe_then_publish", BasicCases::subscribeThenPublish),
        Case.of("basic.publisher_and_subscriber_in_one_client", BasicCases::oneClient),
        Case.of("basic.republish_replaces", BasicCases::republishReplaces),
        Case.of("basic.unregister_removes", BasicCases::unregisterRemoves),
        Case.of("basic.unregister_by_data_id", BasicCases::unregisterByDataId),
        Case.of("basic.unregister_leaves_the_other_publisher", BasicCases::unregisterLeavesOther),
        Case.of("basic.register_again_after_unregister", BasicCases::registerAgain),
        Case.of("basic.closed_client_takes_its_data_along", BasicCases::closedClient),
        Case.of("basic.unregistered_subscriber_is_not_pushed", BasicCases::unregisteredSubscriber),
        Case.of("basic.peek_data_shows_the_last_push", BasicCases::peekData));
  }

  private static void publishThenSubscribe(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var publisher = scene.client();
    publisher.publish(service, "d1");
    publisher.awaitSettled();
    var watch = scene.client().watch(service);
    watch.awaitExactly("d1");
    Check.equal(Watch.ZONE, watch.latest().localZone(), "local zone");
  }

  private static void subscribeThenPublish(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    watch.awaitFirst();
    Check.equal(List.of(), watch.latest().values(), "first push");
    scene.client().publish(service, "d1");
    watch.awaitExactly("d1");
  }

  private static void oneClient(Scene scene) throws Exception {
    var client = scene.client();
    var watch = client.watch(scene.dataId("s"));
    client.publish(scene.dataId("s"), "d1");
    watch.awaitExactly("d1");
  }

  private static void republishReplaces(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var publisher = scene.client().publish(service, "a");
    watch.awaitExactly("a");
    publisher.republish("b", "c");
    watch.awaitExactly("b", "c");
  }

  private static void unregisterRemoves(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var publisher = scene.client().publish(service, "a");
    watch.awaitExactly("a");
    publisher.unregister();
    watch.awaitNothing();
  }

  private static void unregisterByDataId(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var client = scene.client();
    client.publish(service, "a");
    client.publish(service, "b");
    watch.awaitCount(2, Watch.LIMIT);
    Check.equal(2, client.unpublish(service), "unregistered publishers");
    watch.awaitNothing();
  }

  private static void unregisterLeavesOther(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var first = scene.client().publish(service, "a");
    scene.client().publish(service, "b");
    watch.awaitCount(2, Watch.LIMIT);
    first.unregister();
    watch.awaitExactly("b");
  }

  private static void registerAgain(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var client = scene.client();
    client.publish(service, "a").unregister();
    client.awaitSettled();
    client.publish(service, "b");
    watch.awaitExactly("b");
  }

  private static void closedClient(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var leaving = scene.client();
    leaving.publish(service, "a");
    scene.client().publish(service, "b");
    watch.awaitCount(2, Watch.LIMIT);
    leaving.close();
    watch.awaitExactly("b");
  }

  private static void unregisteredSubscriber(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var client = scene.client();
    var leaving = client.watch(service);
    var staying = scene.client().watch(service);
    var publisher = scene.client().publish(service, "a");
    leaving.awaitExactly("a");
    leaving.subscriber().unregister();
    client.awaitSettled();
    // A push may have been on its way when the server acknowledged; the next change is the one that counts.
    Await.pass(QUIET);
    long before = client.pushes().countFor(leaving);
    publisher.republish("b");
    staying.awaitExactly("b");
    Await.pass(QUIET);
    Check.equal(before, client.pushes().countFor(leaving), "pushes to the subscriber that left");
  }

  private static void peekData(Scene scene) throws Exception {
    var service = scene.dataId("s");
    scene.client().publish(service, "a");
    var watch = scene.client().watch(service);
    watch.awaitExactly("a");
    Check.equal(watch.latest().zones(), watch.subscriber().peekData().getZoneData(), "peekData");
  }
}

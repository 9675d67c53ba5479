package roster.acceptance.cases;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Child;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.Proxy;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** Clients that die, freeze, or lose their connection for a moment. */
public final class LifeCases {
  /** A client whose connection was cut is back in 0.53 s: data must not be removed before that. */
  private static final Duration GRACE = Duration.ofMillis(600);

  private static final Duration DEATH_LIMIT = Duration.ofSeconds(2);
  private static final Duration FREEZE_LIMIT = Duration.ofSeconds(25);
  private static final Duration THAW_LIMIT = Duration.ofSeconds(10);

  /** A full collection, a snapshot of the machine. The client speaks by itself every 15 s only. */
  private static final Duration PAUSE = Duration.ofSeconds(12);
  /** After so long without a word of its own the client would be silent for more than 20 s with the pause. */
  private static final Duration QUIET = Duration.ofSeconds(10);

  /** Long enough for a removal to come through, should a cut be taken for a death. */
  private static final Duration PAST_GRACE = Duration.ofSeconds(3);

  private static final int CUTS = 5;
  private static final int CUT_TRIES_MAX = 3;
  /** The client's worker looks every half second whether it is connected. */
  private static final Duration PROMPT_RETURN = Duration.ofMillis(700);
  /** A client that found no connection sleeps up to five seconds at random, then five more. */
  private static final Duration DOZE_MAX = Duration.ofSeconds(13);

  private LifeCases() {}

  public static List<Case> all() {
    return List.of(
        Case.alone("life.killed_client_is_removed_within_2_s", LifeCases::killed),
        Case.alone("life.frozen_client_is_removed_and_comes_back", LifeCases::frozen),
        Case.alone("life.client_that_pauses_for_12_s_is_missed_by_nobody", LifeCases::paused),
        Case.alone("life.cut_publisher_is_missed_by_nobody", scene -> cutPublisher(scene, 1)),
        Case.alone("life.cut_client_with_300_publishers_is_missed_by_nobody", scene -> cutPublisher(scene, 300)),
        Case.alone("life.cut_amid_a_republish_converges", LifeCases::cutAndRepublish),
        Case.alone("life.publisher_cut_again_and_again_is_missed_by_nobody", LifeCases::cutRepeatedly),
        Case.alone("life.cut_subscriber_gets_the_next_change", LifeCases::cutSubscriber));
  }

  private static void killed(Scene scene) throws Exception {
    var watch = scene.client().watch(scene.dataId("s"));
    var child = scene.own(Child.start(scene.server().httpPort(), null));
    child.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
    long killed = System.nanoTime();
    child.kill();
    watch.awaitNothing();
    var took = Duration.ofNanos(watch.latest().nanos() - killed);
    scene.note("removed after %d ms", took.toMillis());
    Check.between(GRACE, DEATH_LIMIT, took, "removed");
  }

  private static void frozen(Scene scene) throws Exception {
    var watch = scene.client().watch(scene.dataId("s"));
    var child = scene.own(Child.start(scene.server().httpPort(), null));
    child.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
    child.freeze();
    var removed = watch.await(FREEZE_LIMIT, "no value", seen -> seen.values().isEmpty());
    child.thaw();
    var back = watch.await(THAW_LIMIT, "the value again", seen -> seen.values().equals(List.of("a")));
    scene.note("removed after %d ms, back %d ms after it went on", removed.toMillis(), back.toMillis());
  }

  private static void paused(Scene scene) throws Exception {
    var watch = scene.client().watch(scene.dataId("s"));
    var child = scene.own(Child.start(scene.server().httpPort(), null));
    child.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
    Await.pass(QUIET);
    long paused = System.nanoTime();
    child.freeze();
    Await.pass(PAUSE);
    child.thaw();
    Await.pass(PAST_GRACE);
    Check.equal(0, watch.callsSince(paused).size(), "calls of the observer");
  }

  private static void cutPublisher(Scene scene, int publishers) throws Exception {
    var proxy = scene.own(new Proxy(scene.server(), ""));
    var watch = scene.client().watch(scene.dataId("s"));
    var client = scene.clientAt(proxy.httpPort());
    IntStream.range(0, publishers).forEach(index -> client.publish(scene.dataId("s"), "value-" + index));
    watch.awaitCount(publishers, Watch.LIMIT);
    client.awaitSettled();
    long cut = cut(scene, proxy, client);
    var back = Duration.ofNanos(System.nanoTime() - cut);
    Await.pass(PAST_GRACE);
    noneMissing(watch, cut, publishers);
    scene.note("all registered again after %d ms, %d calls", back.toMillis(), watch.callsSince(cut).size());
  }

  private static void cutRepeatedly(Scene scene) throws Exception {
    var proxy = scene.own(new Proxy(scene.server(), ""));
    var watch = scene.client().watch(scene.dataId("s"));
    var client = scene.clientAt(proxy.httpPort());
    client.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
    for (int times = 0; times < CUTS; times++) {
      long cut = cut(scene, proxy, client);
      noneMissing(watch, cut, 1);
    }
    long last = System.nanoTime();
    Await.pass(PAST_GRACE);
    noneMissing(watch, last, 1);
  }

  /** What the client sends at the moment of the cut makes it doze (see {@link #cut}); only the end can be demanded. */
  private static void cutAndRepublish(Scene scene) throws Exception {
    var proxy = scene.own(new Proxy(scene.server(), ""));
    var watch = scene.client().watch(scene.dataId("s"));
    var client = scene.clientAt(proxy.httpPort());
    var publisher = client.publish(scene.dataId("s"), "before");
    watch.awaitExactly("before");
    proxy.cut();
    publisher.republish("after");
    var took = watch.await(DOZE_MAX, "the value after the cut", seen -> seen.values().equals(List.of("after")));
    scene.note("seen after %d ms", took.toMillis());
  }

  private static void cutSubscriber(Scene scene) throws Exception {
    var proxy = scene.own(new Proxy(scene.server(), ""));
    var client = scene.clientAt(proxy.httpPort());
    var watch = client.watch(scene.dataId("s"));
    var publisher = scene.client().publish(scene.dataId("s"), "before");
    watch.awaitExactly("before");
    long start = System.nanoTime();
    proxy.cut();
    publisher.republish("while cut");
    watch.await(DOZE_MAX, "the change made during the cut", seen -> seen.values().equals(List.of("while cut")));
    var meanwhile = Duration.ofNanos(System.nanoTime() - start);
    publisher.republish("afterwards");
    watch.awaitExactly("afterwards");
    noneMissing(watch, start, 1);
    scene.note("a change made during the cut was seen after %d ms", meanwhile.toMillis());
  }

  /**
   * Cuts the client's connection, waits until it is back with all its registrations, and returns when the cut was. The
   * client is back within half a second, except when its worker looks at the connection in the instant between its
   * closing and its removal from Bolt's pool: then it finds no connection, and sleeps for five to ten seconds. No
   * server can make up for that, so such a cut is not counted and another is made.
   */
  private static long cut(Scene scene, Proxy proxy, Client client) {
    for (int tries = 0; tries < CUT_TRIES_MAX; tries++) {
      int before = proxy.accepted();
      long cut = System.nanoTime();
      proxy.cut();
      Await.until(
          DOZE_MAX,
          () -> proxy.accepted() > before && client.isConnected() && client.isSettled(),
          () -> "the client is back; it made " + proxy.accepted() + " connections");
      if (proxy.acceptedNanos() - cut < PROMPT_RETURN.toNanos()) {
        return cut;
      }
      scene.note("the client dozed");
      Await.pass(PAST_GRACE);
    }
    throw new AssertionError("the client dozed after each of " + CUT_TRIES_MAX + " cuts");
  }

  private static void noneMissing(Watch watch, long since, int values) {
    var sizes = watch.callsSince(since).stream().map(seen -> seen.values().size());
    var shrunk = sizes.filter(size -> size < values).toList();
    Check.that(shrunk.isEmpty(), "the list of %d shrank for its subscriber: %s", values, shrunk);
  }
}

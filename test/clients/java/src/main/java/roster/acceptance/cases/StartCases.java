package roster.acceptance.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.Scene;

/** How fast things begin, measured with the machine to itself. */
public final class StartCases {
  // How long a process takes to start is for the benchmarks to say: here several start at once beside their clients.
  private static final Duration START_LIMIT = Duration.ofSeconds(15);
  private static final Duration FIRST_DATA = Duration.ofSeconds(3);
  private static final Duration PROMPT = Duration.ofMillis(500);
  private static final Duration CHANGE = Duration.ofSeconds(1);
  private static final int TRIES = 10;

  private StartCases() {}

  public static List<Case> all() {
    return List.of(
        Case.alone("start.first_data_through_a_new_server", StartCases::firstStart),
        Case.alone("start.unknown_service_is_empty_at_once", StartCases::unknownService),
        Case.alone("start.change_is_seen_at_once", StartCases::change));
  }

  private static void firstStart(Scene scene) throws Exception {
    var server = scene.ownServer();
    server.start();
    var alive = server.awaitAlive(START_LIMIT);
    long start = System.nanoTime();
    // Not before the server: a client that finds none sleeps five seconds and more before it looks again.
    var watch = scene.clientAt(server.httpPort()).watch(scene.dataId("s"));
    watch.awaitFirst();
    scene.clientAt(server.httpPort()).publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
    var took = since(start);
    scene.note("answering after %d ms, first data seen %d ms later", alive.toMillis(), took.toMillis());
    Check.between(Duration.ZERO, FIRST_DATA, took, "first data");
  }

  private static void unknownService(Scene scene) throws Exception {
    var client = connected(scene);
    List<Long> tries = new ArrayList<>();
    for (int index = 0; index < TRIES; index++) {
      long start = System.nanoTime();
      var watch = client.watch(scene.dataId("unknown-" + index));
      watch.awaitFirst();
      var took = since(start);
      Check.equal(List.of(), watch.latest().values(), "first push");
      Check.between(Duration.ZERO, PROMPT, took, "empty list");
      tries.add(took.toMillis());
    }
    scene.note("ms: %s", tries);
  }

  private static void change(Scene scene) throws Exception {
    var watch = scene.client().watch(scene.dataId("s"));
    var publisher = scene.client().publish(scene.dataId("s"), "start");
    watch.awaitExactly("start");
    List<Long> tries = new ArrayList<>();
    for (int index = 0; index < TRIES; index++) {
      long start = System.nanoTime();
      publisher.republish("value-" + index);
      watch.awaitExactly("value-" + index);
      var took = since(start);
      Check.between(Duration.ZERO, CHANGE, took, "change");
      tries.add(took.toMillis());
    }
    scene.note("ms: %s", tries);
  }

  /** A client that has its connection already, which is no part of what is measured. */
  private static Client connected(Scene scene) throws Exception {
    var client = scene.client();
    client.watch(scene.dataId("first")).awaitFirst();
    return client;
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }
}

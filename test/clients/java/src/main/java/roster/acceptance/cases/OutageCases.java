package roster.acceptance.cases;

import com.alipay.sofa.registry.client.api.Publisher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.Http;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Server;
import roster.acceptance.harness.Watch;

/** A server that is killed or stopped and started again on the same data directory. */
public final class OutageCases {
  private static final Duration START_LIMIT = Duration.ofSeconds(15);

  /** The client looks every half second whether it is connected; the rest is for connecting and registering. */
  private static final Duration RECOVERY_BASE = Duration.ofMillis(1_000);

  /**
   * The client's own sleeps, counted from when the server answers again: up to five seconds at random after each server
   * of its list that it could not connect to, then five more before the next round.
   */
  private static final Duration CLIENT_SLEEP = Duration.ofSeconds(5);

  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  /** The server writes down once a second how large each service is, to know after a restart whom to wait for. */
  private static final Duration STEADY = Duration.ofSeconds(2);

  /** After all are back: whatever the server held back for the time of recovery has come out by then. */
  private static final Duration SETTLED = Duration.ofSeconds(3);

  private OutageCases() {}

  public static List<Case> all() {
    return List.of(
        Case.alone("outage.kill_9_of_the_server_with_1_publisher", scene -> outage(scene, 1, 1, Server::kill)),
        Case.alone("outage.kill_9_of_the_server_with_100_publishers", scene -> outage(scene, 5, 20, Server::kill)),
        Case.alone(
            "outage.sigterm_stops_the_server_in_time",
            scene -> outage(scene, 1, 1, server -> terminate(scene, server))),
        Case.alone("outage.server_without_clients_starts_again", OutageCases::idle));
  }

  private static void outage(Scene scene, int clients, int perClient, Stop stop) throws Exception {
    var server = scene.ownServer();
    server.start();
    server.awaitAlive(START_LIMIT);
    var subscriber = scene.clientAt(server.httpPort());
    var watch = subscriber.watch(scene.dataId("s"));
    List<Client> all = new ArrayList<>(List.of(subscriber));
    List<Publisher> publishers = new ArrayList<>();
    for (int number = 0; number < clients; number++) {
      var client = scene.clientAt(server.httpPort());
      all.add(client);
      int first = number * perClient;
      IntStream.range(first, first + perClient)
          .forEach(index -> publishers.add(client.publish(scene.dataId("s"), "value-" + index)));
    }
    watch.awaitCount(publishers.size(), Watch.LIMIT);
    Await.pass(STEADY);
    long before = subscriber.pushes().versionFor(watch);
    var recoveryLimit = RECOVERY_BASE.plus(CLIENT_SLEEP.multipliedBy(1L + Http.serverCount(server.httpPort())));

    long stopped = System.nanoTime();
    stop.stop(server);
    Await.until(START_LIMIT, () -> all.stream().noneMatch(Client::isConnected), () -> "all clients noticed");
    recover(scene, server, all, stopped, recoveryLimit);

    checkNothingLost(watch, stopped, publishers.size());
    publishers.get(0).republish("republished");
    watch.await(Watch.LIMIT, "the republished value", seen -> seen.values().contains("republished"));
    Check.equal(publishers.size(), watch.latest().values().size(), "values after the republish");
    Check.that(subscriber.pushes().versionFor(watch) > before, "the version did not grow across the restart");
  }

  private static void recover(Scene scene, Server server, List<Client> clients, long stopped, Duration limit)
      throws Exception {
    server.start();
    var alive = server.awaitAlive(START_LIMIT);
    var back =
        Await.until(
            limit,
            () -> clients.stream().allMatch(client -> client.isConnected() && client.isSettled()),
            () ->
                "all %d clients recovered; connected are %d, settled %d"
                    .formatted(clients.size(), count(clients, Client::isConnected), count(clients, Client::isSettled)));
    scene.note("server answering after %d ms, clients back %d ms later", alive.toMillis(), back.toMillis());
    scene.note("%d ms after it was stopped", Duration.ofNanos(System.nanoTime() - stopped).toMillis());
    Await.pass(SETTLED);
  }

  private static void checkNothingLost(Watch watch, long since, int values) {
    var sizes = watch.callsSince(since).stream().map(seen -> seen.values().size()).toList();
    Check.that(sizes.stream().allMatch(size -> size == values), "lists of %d were shown with sizes %s", values, sizes);
    Check.equal(values, watch.latest().values().size(), "values after the restart");
  }

  private static void terminate(Scene scene, Server server) {
    scene.note("stopped after %d ms", server.terminate(STOP_LIMIT).toMillis());
  }

  private static void idle(Scene scene) throws Exception {
    var server = scene.ownServer();
    server.start();
    server.awaitAlive(START_LIMIT);
    terminate(scene, server);
    server.start();
    server.awaitAlive(START_LIMIT);
    var client = scene.clientAt(server.httpPort());
    client.publish(scene.dataId("s"), "a");
    client.watch(scene.dataId("s")).awaitExactly("a");
  }

  private static long count(List<Client> clients, Predicate<Client> condition) {
    return clients.stream().filter(condition).count();
  }

  @FunctionalInterface
  private interface Stop {
    void stop(Server server);
  }
}

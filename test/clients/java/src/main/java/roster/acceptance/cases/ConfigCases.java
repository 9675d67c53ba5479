package roster.acceptance.cases;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Http;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Server;

/** The configurator: values kept by the meta role, put over its HTTP port. */
public final class ConfigCases {
  private static final Duration LIMIT = Duration.ofSeconds(1);
  private static final Duration START_LIMIT = Duration.ofSeconds(15);

  /** As in OutageCases: the client sleeps up to five seconds after each server, then five more. */
  private static final Duration RECONNECT_LIMIT = Duration.ofSeconds(20);

  /** From the answer to the operator to the client's callback. */
  private static final Duration PUSH_LIMIT = Duration.ofMillis(200);

  private ConfigCases() {}

  public static List<Case> all() {
    return List.of(
        Case.alone("config.unset_key_is_null", ConfigCases::unset),
        Case.alone("config.value_set_before_is_read", ConfigCases::setBefore),
        Case.alone("config.change_is_pushed", ConfigCases::change),
        Case.alone("config.value_outlives_the_server", ConfigCases::restart));
  }

  private static void unset(Scene scene) throws Exception {
    var took = scene.client().watchConfig(scene.dataId("key")).await(null, LIMIT);
    scene.note("null after %d ms", took.toMillis());
  }

  private static void setBefore(Scene scene) throws Exception {
    put(scene, "before");
    var took = scene.client().watchConfig(scene.dataId("key")).await("before", LIMIT);
    scene.note("read after %d ms", took.toMillis());
  }

  private static void change(Scene scene) throws Exception {
    var watch = scene.client().watchConfig(scene.dataId("key"));
    watch.await(null, LIMIT);
    put(scene, "first");
    var first = watch.await("first", PUSH_LIMIT);
    put(scene, "second 漢字 😀");
    var second = watch.await("second 漢字 😀", PUSH_LIMIT);
    scene.note("pushed %d and %d ms after the answer to the put", first.toMillis(), second.toMillis());
  }

  /** The server is killed with kill -9. The watch is the client's own, and registers itself again. */
  private static void restart(Scene scene) throws Exception {
    var server = scene.ownServer();
    server.start();
    server.awaitAlive(START_LIMIT);
    server.awaitReady(START_LIMIT);
    put(scene, server, "before");
    var client = scene.clientAt(server.httpPort());
    var watch = client.watchConfig(scene.dataId("key"));
    watch.await("before", LIMIT);
    server.kill();
    Await.until(START_LIMIT, () -> !client.isConnected(), () -> "the client noticed");
    server.start();
    server.awaitReady(START_LIMIT);
    scene.clientAt(server.httpPort()).watchConfig(scene.dataId("key")).await("before", LIMIT);
    Await.until(
        RECONNECT_LIMIT, () -> client.isConnected() && client.isSettled(), () -> "the client is back");
    put(scene, server, "after");
    var after = watch.await("after", PUSH_LIMIT);
    scene.note("a change after the restart is pushed %d ms after the answer to the put", after.toMillis());
  }

  private static void put(Scene scene, String value) throws IOException {
    put(scene, scene.server(), value);
  }

  private static void put(Scene scene, Server server, String value) throws IOException {
    var json =
        """
        {"dataId":"%s","group":"DEFAULT_GROUP","instanceId":"DEFAULT_INSTANCE_ID","data":"%s"}"""
            .formatted(scene.dataId("key"), value);
    var answer = Http.postJson(server.metaHttpPort(), "/persistentData/put", json);
    Check.that(
        answer.status() == 200 && answer.body().contains("\"success\":true"),
        "put answered %d %s",
        answer.status(),
        answer.body());
  }
}

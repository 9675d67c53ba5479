package roster.acceptance.cases;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Http;
import roster.acceptance.harness.Scene;

/** The configurator: values kept by the meta role, put over its HTTP port. */
public final class ConfigCases {
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private ConfigCases() {}

  public static List<Case> all() {
    return List.of(
        Case.alone("config.unset_key_is_null", ConfigCases::unset),
        Case.alone("config.value_set_before_is_read", ConfigCases::setBefore),
        Case.alone("config.change_is_pushed", ConfigCases::change));
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
    var first = watch.await("first", LIMIT);
    put(scene, "second 漢字 😀");
    var second = watch.await("second 漢字 😀", LIMIT);
    scene.note("pushed %d and %d ms after the answer to the put", first.toMillis(), second.toMillis());
  }

  private static void put(Scene scene, String value) throws IOException {
    var json =
        """
        {"dataId":"%s","group":"DEFAULT_GROUP","instanceId":"DEFAULT_INSTANCE_ID","data":"%s"}"""
            .formatted(scene.dataId("key"), value);
    var answer = Http.postJson(scene.server().metaHttpPort(), "/persistentData/put", json);
    Check.that(
        answer.status() == 200 && answer.body().contains("\"success\":true"),
        "put answered %d %s",
        answer.status(),
        answer.body());
  }
}

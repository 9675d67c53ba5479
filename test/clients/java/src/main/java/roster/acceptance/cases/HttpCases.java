package roster.acceptance.cases;

import java.io.IOException;
import java.util.List;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Http;
import roster.acceptance.harness.Proxy;
import roster.acceptance.harness.Scene;

/** The HTTP endpoints that clients and their operators read, in the shape the real server gives them. */
public final class HttpCases {
  private static final String TEXT = "text/plain";
  private static final String JSON = "application/json";

  private HttpCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("http.query", scene -> answers(scene, "query?zone=DEFAULT_ZONE", TEXT, among(address(scene), ";"))),
        Case.of("http.query_as_the_client_asks", HttpCases::asTheClientAsks),
        Case.of("http.query_with_weight", scene -> withWeight(scene, "zone=DEFAULT_ZONE")),
        Case.of(
            "http.query_for_any_zone",
            scene -> answers(scene, "query?zone=SOME_OTHER_ZONE", TEXT, among(address(scene), ";"))),
        Case.of("http.query_json", HttpCases::queryJson),
        Case.of("http.alive", scene -> answers(scene, "alive", TEXT, "OK")),
        Case.of("http.data_center", scene -> answers(scene, "dataCenter", JSON, "\\[\"[^\"]+\"(,\"[^\"]+\")*\\]")),
        Case.of("http.connection_num_counts_a_client", HttpCases::connectionNum),
        Case.of("http.slot", HttpCases::slot),
        Case.of("http.health", HttpCases::health),
        Case.of("http.bad_paths_are_refused", HttpCases::badPaths));
  }

  private static void answers(Scene scene, String path, String type, String bodyPattern) throws IOException {
    var answer = Http.get(scene.server().httpPort(), "/api/servers/" + path);
    Check.equal(200, answer.status(), "status");
    Check.equal(type, answer.type(), "content type");
    Check.that(answer.body().matches(bodyPattern), "body \"%s\" is not like %s", answer.body(), bodyPattern);
  }

  private static void withWeight(Scene scene, String parameters) throws IOException {
    answers(scene, "queryWithWeight?" + parameters, TEXT, among(address(scene) + "\\?weight=\\d+", ";"));
  }

  private static void asTheClientAsks(Scene scene) throws IOException {
    // What is not set goes out as the word null.
    withWeight(scene, "env=null&zone=DEFAULT_ZONE&dataCenter=DefaultDataCenter&appName=a&instanceId=null");
  }

  /** A cluster answers with all its sessions, in any order. */
  private static String among(String one, String separator) {
    return "(.+%s)?%s(%s.+)?".formatted(separator, one, separator);
  }

  private static void queryJson(Scene scene) throws IOException {
    answers(scene, "query.json?zone=DEFAULT_ZONE", JSON, "\\[" + among("\"" + address(scene) + "\"", ",") + "\\]");
  }

  private static void connectionNum(Scene scene) throws IOException {
    // Other cases connect at the same time, so only the lower bound is known; the proxy leads to the session asked here.
    var client = scene.clientAt(scene.own(new Proxy(scene.server(), "")).httpPort());
    client.publish(scene.dataId("s"), "a");
    client.awaitSettled();
    var answer = Http.get(scene.server().httpPort(), "/api/servers/connectionNum");
    Check.equal(TEXT, answer.type(), "content type");
    Check.that(answer.body().matches("\\d+") && Integer.parseInt(answer.body()) >= 1, "body \"%s\"", answer.body());
  }

  private static void slot(Scene scene) throws IOException {
    var dataInfoId = "com.example.Sample%23@%23DEFAULT_INSTANCE_ID%23@%23DEFAULT_GROUP";
    // The members may come in any order.
    var members = List.of("\"id\":\\d{1,3}", "\"leader\":\"[^\"]+\"", "\"leaderEpoch\":\\d+", "\"followers\":\\[.*\\]");
    for (var member : members) {
      answers(scene, "slot?dataInfoId=" + dataInfoId, JSON, "\\{.*" + member + ".*\\}");
    }
  }

  private static void health(Scene scene) throws IOException {
    var answer = Http.get(scene.server().httpPort(), "/health/check");
    Check.equal(200, answer.status(), "status");
    Check.equal(JSON, answer.type(), "content type");
    Check.that(answer.body().matches("\\{\"success\":true,\"message\":.*\\}"), "body %s", answer.body());
  }

  private static void badPaths(Scene scene) throws IOException {
    var paths =
        List.of(
            "/api/servers/../servers/alive",
            "/api/servers/./alive",
            "/../../../../etc/passwd",
            "/..%2f..%2fetc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/api%2fservers%2falive",
            "/api/servers%2Falive",
            "//api/servers/alive",
            "/api//servers/alive",
            "/api/servers/alive%00",
            "/api/servers/%",
            "/api/servers\\alive",
            "/api/servers/nothing");
    for (var path : paths) {
      int status = Http.rawStatus(scene.server().httpPort(), path);
      Check.that(status >= 400 && status < 500, "%s was answered %d", path, status);
    }
  }

  private static String address(Scene scene) throws IOException {
    return "127\\.0\\.0\\.1:" + scene.server().boltPort();
  }
}

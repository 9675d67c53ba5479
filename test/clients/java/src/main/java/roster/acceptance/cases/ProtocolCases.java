package roster.acceptance.cases;

import com.alipay.sofa.registry.client.auth.AuthManager;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Child;
import roster.acceptance.harness.Proxy;
import roster.acceptance.harness.RawBolt.Form;
import roster.acceptance.harness.Scene;

/** The forms in which real clients speak, one case each. What no client should send is in {@link WireCases}. */
public final class ProtocolCases {
  /** What makes the client switch when it follows an address in the server list; the version comes behind it. */
  private static final String BOLT_2 = "&_PROTOCOL=2&_VERSION=";

  private ProtocolCases() {}

  public static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.add(Case.of("protocol.client_on_bolt_2_with_crc", scene -> clientOn(scene, BOLT_2 + "2", "0202")));
    cases.add(Case.of("protocol.client_on_bolt_2_version_1", scene -> clientOn(scene, BOLT_2 + "1", "0201")));
    cases.add(Case.of("protocol.client_on_bolt_1", scene -> clientOn(scene, "", "0101")));
    cases.add(Case.of("protocol.client_with_hessian_4_publishes", ProtocolCases::otherDialectPublishes));
    cases.add(Case.of("protocol.client_with_hessian_4_subscribes", ProtocolCases::otherDialectSubscribes));
    cases.add(Case.of("protocol.client_with_an_access_key", ProtocolCases::accessKey));
    cases.add(Case.of("protocol.client_with_signed_requests", ProtocolCases::signedRequests));
    for (var form : Form.values()) {
      var name = form.name().toLowerCase(Locale.ROOT);
      cases.add(Case.of("protocol.heartbeat_" + name, scene -> WireCases.heartbeat(scene, form)));
      cases.add(Case.of("protocol.push_and_answer_" + name, scene -> WireCases.pushAndAnswer(scene, form)));
    }
    cases.addAll(WireCases.all());
    return cases;
  }

  private static void clientOn(Scene scene, String listParameters, String firstBytes) throws Exception {
    var proxy = scene.own(new Proxy(scene.server(), listParameters));
    var service = scene.dataId("s");
    var switched = scene.clientAt(proxy.httpPort());
    var watch = switched.watch(service);
    var publisher = switched.publish(service, "a");
    watch.awaitExactly("a");
    var elsewhere = scene.client().watch(service);
    publisher.republish("b 漢字 😀");
    watch.awaitExactly("b 漢字 😀");
    elsewhere.awaitExactly("b 漢字 😀");
    // A TLS handshake hides the form.
    var expected = Boolean.getBoolean("bolt.client.ssl.enable") ? "1603" : firstBytes;
    Check.equal(Set.of(expected), proxy.formsSent(), "first bytes of the client's connection");
  }

  private static void otherDialectPublishes(Scene scene) throws Exception {
    var child = otherDialect(scene);
    var watch = scene.client().watch(scene.dataId("s"));
    child.publish(scene.dataId("s"), "from the final dialect 漢字");
    watch.awaitExactly("from the final dialect 漢字");
  }

  private static void otherDialectSubscribes(Scene scene) throws Exception {
    var child = otherDialect(scene);
    child.subscribe(scene.dataId("s"));
    var publisher = scene.client().publish(scene.dataId("s"), "from the draft dialect 漢字");
    child.awaitSeen(scene.dataId("s"), "from the draft dialect 漢字");
    publisher.republish("next");
    child.awaitSeen(scene.dataId("s"), "next");
  }

  /** A client whose Hessian is Caucho's own: same classes, the final 2.0 dialect instead of the draft. */
  private static Child otherDialect(Scene scene) throws Exception {
    var firstJar = Path.of(System.getProperty("java.class.path").split(File.pathSeparator)[0]);
    var hessian = firstJar.resolveSibling("dialect").resolve("caucho-hessian.jar");
    Check.that(Files.exists(hessian), "%s is missing; build with mvn package", hessian);
    return scene.own(Child.start(scene.server().httpPort(), hessian.toString()));
  }

  private static void accessKey(Scene scene) throws Exception {
    var client = scene.client(settings -> settings.setAccessKey("key").setSecretKey("secret"));
    var watch = client.watch(scene.dataId("s"));
    client.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
  }

  private static void signedRequests(Scene scene) throws Exception {
    AuthManager signing =
        register ->
            Map.of(
                "!AccessKey", "key",
                "!Algorithm", "HmacSHA256",
                "!Signature", "c2lnbmF0dXJl",
                "!Timestamp", "" + register.getTimestamp());
    var client = scene.clientWith(signing);
    var watch = client.watch(scene.dataId("s"));
    client.publish(scene.dataId("s"), "a");
    watch.awaitExactly("a");
  }
}

package roster.acceptance.cases;

import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.util.List;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Service;

/** Services that differ in any part of their name know nothing of each other. */
public final class IsolationCases {
  private IsolationCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("isolation.group", scene -> apart(scene, named(scene, "g1", null), named(scene, "g2", null))),
        Case.of("isolation.instance_id", scene -> apart(scene, named(scene, null, "i1"), named(scene, null, "i2"))),
        Case.of("isolation.default_and_named_group", scene -> apart(scene, named(scene, null, null), named(scene, "g", null))),
        Case.of("isolation.default_and_named_instance_id", scene -> apart(scene, named(scene, null, null), named(scene, null, "i"))),
        Case.of("isolation.data_id_is_case_sensitive", scene -> apart(scene, Service.of(scene.dataId("Orders")), Service.of(scene.dataId("orders")))),
        Case.of("isolation.group_is_case_sensitive", scene -> apart(scene, named(scene, "G", null), named(scene, "g", null))),
        Case.of("isolation.spaces_are_not_trimmed", scene -> apart(scene, Service.of(scene.dataId("a")), Service.of(scene.dataId("a ")))));
  }

  private static Service named(Scene scene, String group, String instanceId) {
    return new Service(scene.dataId("s"), group, instanceId);
  }

  /** Publishes to both, so that each subscriber has something to wait for, and takes one back. */
  private static void apart(Scene scene, Service one, Service other) throws Exception {
    var subscriber = scene.client();
    var ofOne = subscriber.watch(one, ScopeEnum.zone);
    var ofOther = subscriber.watch(other, ScopeEnum.zone);
    var client = scene.client();
    var publisher = client.publish(one, "one");
    client.publish(other, "other");
    ofOne.awaitExactly("one");
    ofOther.awaitExactly("other");
    publisher.unregister();
    ofOne.awaitNothing();
    Check.equal(List.of("other"), ofOther.latest().values(), "the other service");
    Check.that(ofOne.calls().stream().noneMatch(seen -> seen.values().contains("other")), "%s was shown data of %s", one, other);
    Check.that(ofOther.calls().stream().noneMatch(seen -> seen.values().contains("one")), "%s was shown data of %s", other, one);
  }
}

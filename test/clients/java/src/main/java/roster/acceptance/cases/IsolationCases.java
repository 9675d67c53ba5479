package roster.acceptance.cases;

import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.util.List;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Service;
import roster.acceptance.harness.Watch;

/** Services that differ in any part of their name know nothing of each other. */
public final class IsolationCases {
  private IsolationCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("isolation.group", scene -> apart(scene, group(scene, "g1"), group(scene, "g2"))),
        Case.of("isolation.instance_id", scene -> apart(scene, instance(scene, "i1"), instance(scene, "i2"))),
        Case.of("isolation.default_and_named_group", scene -> apart(scene, dataId(scene, "s"), group(scene, "g"))),
        Case.of("isolation.default_and_named_id", scene -> apart(scene, dataId(scene, "s"), instance(scene, "i"))),
        Case.of("isolation.data_id_is_case_sensitive", scene -> apart(scene, dataId(scene, "A"), dataId(scene, "a"))),
        Case.of("isolation.group_is_case_sensitive", scene -> apart(scene, group(scene, "G"), group(scene, "g"))),
        Case.of("isolation.spaces_are_not_trimmed", scene -> apart(scene, dataId(scene, "a"), dataId(scene, "a "))));
  }

  private static Service dataId(Scene scene, String suffix) {
    return Service.of(scene.dataId(suffix));
  }

  private static Service group(Scene scene, String group) {
    return new Service(scene.dataId("s"), group, null);
  }

  private static Service instance(Scene scene, String instanceId) {
    return new Service(scene.dataId("s"), null, instanceId);
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
    checkNever(ofOne, "other");
    checkNever(ofOther, "one");
  }

  private static void checkNever(Watch watch, String foreign) {
    Check.that(watch.calls().stream().noneMatch(seen -> seen.values().contains(foreign)), "shown data of %s", foreign);
  }
}

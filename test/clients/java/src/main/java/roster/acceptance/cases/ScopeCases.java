package roster.acceptance.cases;

import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.util.List;
import java.util.Map;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Service;
import roster.acceptance.harness.Watch;

/** What the three scopes of a subscription show. */
public final class ScopeCases {
  private static final String ZONE_A = "ZONE_A";
  private static final String ZONE_B = "ZONE_B";

  private ScopeCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("scope.zone", scene -> sees(scene, ScopeEnum.zone)),
        Case.of("scope.data_center", scene -> sees(scene, ScopeEnum.dataCenter)),
        Case.of("scope.global", scene -> sees(scene, ScopeEnum.global)),
        Case.of("scope.three_subscribers_of_one_service_in_one_client", ScopeCases::threeSubscribers),
        Case.of("scope.all_scopes_in_one_client", ScopeCases::allScopes),
        Case.of("scope.zone_hides_other_zones", ScopeCases::zoneHides),
        Case.of("scope.data_center_shows_all_zones_under_their_names", ScopeCases::dataCenterShowsAll),
        Case.of("scope.zone_of_its_own_empties_alone", ScopeCases::zoneEmptiesAlone));
  }

  private static void sees(Scene scene, ScopeEnum scope) throws Exception {
    var service = Service.of(scene.dataId("s"));
    var watch = scene.client().watch(service, scope);
    scene.client().publish(service, "a");
    watch.awaitExactly("a");
  }

  private static void threeSubscribers(Scene scene) throws Exception {
    var client = scene.client();
    var service = scene.dataId("s");
    var watches = List.of(client.watch(service), client.watch(service), client.watch(service));
    var publisher = scene.client().publish(service, "a");
    watches.forEach(watch -> watch.awaitExactly("a"));
    publisher.republish("b");
    watches.forEach(watch -> watch.awaitExactly("b"));
  }

  private static void allScopes(Scene scene) throws Exception {
    var client = scene.client();
    var service = Service.of(scene.dataId("s"));
    var watches = List.of(ScopeEnum.values()).stream().map(scope -> client.watch(service, scope)).toList();
    scene.client().publish(service, "a");
    watches.forEach(watch -> watch.awaitExactly("a"));
  }

  private static void zoneHides(Scene scene) throws Exception {
    var service = Service.of(scene.dataId("s"));
    var clientA = inZone(scene, ZONE_A);
    var watchA = clientA.watch(service, ScopeEnum.zone);
    var everywhere = clientA.watch(service, ScopeEnum.dataCenter);
    inZone(scene, ZONE_B).publish(service, "b");
    everywhere.awaitZones(Map.of(ZONE_B, List.of("b")));
    clientA.publish(service, "a");
    watchA.awaitZones(Map.of(ZONE_A, List.of("a")));
    everywhere.awaitZones(Map.of(ZONE_A, List.of("a"), ZONE_B, List.of("b")));
    var foreign = watchA.calls().stream().filter(seen -> seen.values().contains("b")).toList();
    Check.equal(List.of(), foreign, "calls of the zone's subscriber with another zone's data");
    Check.equal(ZONE_A, watchA.latest().localZone(), "local zone");
  }

  private static void dataCenterShowsAll(Scene scene) throws Exception {
    var service = Service.of(scene.dataId("s"));
    inZone(scene, ZONE_A).publish(service, "a");
    inZone(scene, ZONE_B).publish(service, "b");
    scene.client().publish(service, "c");
    Map<String, List<String>> all = Map.of(ZONE_A, List.of("a"), ZONE_B, List.of("b"), Watch.ZONE, List.of("c"));
    for (var zone : all.keySet()) {
      var watch = inZone(scene, zone).watch(service, ScopeEnum.dataCenter);
      watch.awaitZones(all);
      Check.equal(zone, watch.latest().localZone(), "local zone");
    }
  }

  private static void zoneEmptiesAlone(Scene scene) throws Exception {
    var service = Service.of(scene.dataId("s"));
    var leaving = inZone(scene, ZONE_A).publish(service, "a");
    inZone(scene, ZONE_B).publish(service, "b");
    var watch = scene.client().watch(service, ScopeEnum.dataCenter);
    watch.awaitCount(2, Watch.LIMIT);
    leaving.unregister();
    watch.await(Watch.LIMIT, "only zone B", seen -> seen.values().equals(List.of("b")));
  }

  private static Client inZone(Scene scene, String zone) throws Exception {
    return scene.client(settings -> settings.setZone(zone));
  }
}

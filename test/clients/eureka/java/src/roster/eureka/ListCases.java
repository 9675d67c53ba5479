package roster.eureka;

import static roster.eureka.Clients.app;
import static roster.eureka.Clients.eventually;
import static roster.eureka.Clients.same;

import com.netflix.appinfo.AmazonInfo;
import com.netflix.appinfo.AmazonInfo.MetaDataKey;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.appinfo.InstanceInfo.PortType;
import com.netflix.discovery.converters.wrappers.CodecWrappers;
import com.netflix.discovery.converters.wrappers.CodecWrappers.XStreamXml;
import com.netflix.discovery.shared.Applications;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The lists that clients get: every field in every encoding, changes and their hash, other protocols' instances. */
final class ListCases {
  private ListCases() {}

  /** The client's encoders and decoders of JSON, the first of which it has by itself. It sends no XML. */
  private static final List<String> ENCODINGS = List.of("LegacyJacksonJson", "JacksonJson", "XStreamJson");

  static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    for (var encoding : ENCODINGS) {
      cases.put("every field comes back as it was sent: " + encoding, clients -> fields(clients, encoding));
    }
    cases.put("every field comes back as it was sent: XML", ListCases::xmlFields);
    cases.put("a compact list has what a caller needs", ListCases::compact);
    cases.put("an instance of Amazon keeps its metadata", ListCases::amazon);
    cases.put("changes are read from the delta alone, as long as the hash is right", ListCases::delta);
    cases.put("a client whose list has gone wrong finds out by the hash, and fetches everything", ListCases::hash);
    cases.put("fifty instances come and go", ListCases::many);
    cases.put("instances are found by virtual host, and one is chosen after the other", ListCases::virtualHost);
    cases.put("a client that asks for one virtual host gets that alone", ListCases::oneVirtualHost);
    cases.put("what is not there is answered as by the real server", ListCases::unknown);
    cases.put("an instance of Nacos is seen, disabled, and gone", ListCases::ofNacos);
    cases.put("Nacos' clients see an instance, taken out by an operator, and gone", ListCases::toNacos);
    return cases;
  }

  private static void fields(Clients clients, String encoding) throws Exception {
    var settings = new Settings(clients.url());
    settings.encoder = encoding;
    settings.decoder = encoding;
    var requests = clients.requests(settings);
    var sent = anInstance();
    same(204, requests.register(sent).getStatusCode());
    sameFields(sent, requests.getInstance(sent.getAppName(), sent.getId()).getEntity());
    sameFields(sent, requests.getInstance(sent.getId()).getEntity());
    sameFields(sent, requests.getApplication(sent.getAppName()).getEntity().getByInstanceId(sent.getId()));
    sameFields(sent, listed(requests, sent));
    var changes = requests.getDelta().getEntity();
    var changed = changes.getRegisteredApplications(sent.getAppName()).getByInstanceId(sent.getId());
    sameFields(sent, changed);
    same(InstanceInfo.ActionType.ADDED, changed.getActionType());
    same(200, requests.sendHeartBeat(sent.getAppName(), sent.getId(), sent, null).getStatusCode());
    same(200, requests.cancel(sent.getAppName(), sent.getId()).getStatusCode());
  }

  private static InstanceInfo anInstance() {
    var self = Self.withoutHeartbeats(app(), "10.0.0.1");
    var text = "<a & \"b\">, ü — 名";
    self.metadata = Map.of("version", "1", "text", text, "with_underscore", "x", "a$b", "y", "a.b-c", "z");
    return self.info();
  }

  private static void xmlFields(Clients clients) throws Exception {
    var sent = anInstance();
    String app = "apps/" + sent.getAppName();
    clients.xml("POST", app, CodecWrappers.getEncoder(XStreamXml.class).encode(sent), 204);
    var decoder = CodecWrappers.getDecoder(XStreamXml.class);
    var one = decoder.decode(clients.xml("GET", app + "/" + sent.getId(), "", 200), InstanceInfo.class);
    sameFields(sent, one);
    var all = decoder.decode(clients.xml("GET", "apps", "", 200), Applications.class);
    sameFields(sent, all.getRegisteredApplications(sent.getAppName()).getByInstanceId(sent.getId()));
    same(all.getReconcileHashCode(), all.getAppsHashCode());
  }

  private static InstanceInfo listed(EurekaHttpClient requests, InstanceInfo sent) {
    var all = requests.getApplications().getEntity();
    same(all.getReconcileHashCode(), all.getAppsHashCode());
    return all.getRegisteredApplications(sent.getAppName()).getByInstanceId(sent.getId());
  }

  private static void sameFields(InstanceInfo sent, InstanceInfo found) {
    same(fieldsOf(sent), fieldsOf(found));
  }

  private static Map<String, Object> fieldsOf(InstanceInfo info) {
    Map<String, Object> fields = new TreeMap<>();
    fields.put("id", info.getInstanceId());
    fields.put("app", info.getAppName());
    fields.put("appGroup", info.getAppGroupName());
    fields.put("ip", info.getIPAddr());
    fields.put("host", info.getHostName());
    fields.put("port", info.getPort() + " " + info.isPortEnabled(PortType.UNSECURE));
    fields.put("securePort", info.getSecurePort() + " " + info.isPortEnabled(PortType.SECURE));
    fields.put("home", info.getHomePageUrl());
    fields.put("statusPage", info.getStatusPageUrl());
    fields.put("healthChecks", info.getHealthCheckUrls().stream().sorted().toList());
    fields.put("vip", info.getVIPAddress());
    fields.put("secureVip", info.getSecureVipAddress());
    fields.put("status", info.getStatus());
    fields.put("dataCenter", info.getDataCenterInfo().getName());
    fields.put("duration", info.getLeaseInfo().getDurationInSecs());
    fields.put("renewal", info.getLeaseInfo().getRenewalIntervalInSecs());
    fields.put("metadata", new TreeMap<>(info.getMetadata()));
    fields.put("dirty", info.getLastDirtyTimestamp());
    return fields;
  }

  private static void compact(Clients clients) throws Exception {
    var settings = new Settings(clients.url());
    settings.isRegistered = false;
    settings.accept = "compact";
    String app = app();
    var provider = clients.start(new Self(app, "10.0.0.1"));
    var consumer = clients.start(new Self(app(), "10.9.9.9"), settings);
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    var found = consumer.instances(app).get(0);
    same(provider.info().getId(), found.getId());
    same(provider.info().getVIPAddress(), found.getVIPAddress());
    same("host-of-10.0.0.1 8080 8443", found.getHostName() + " " + found.getPort() + " " + found.getSecurePort());
  }

  private static void amazon(Clients clients) throws Exception {
    var requests = clients.requests();
    var amazon = AmazonInfo.Builder.newBuilder()
        .addMetadata(MetaDataKey.instanceId, "i-" + app())
        .addMetadata(MetaDataKey.availabilityZone, "us-east-1c")
        .build();
    var sent = new InstanceInfo.Builder(Self.withoutHeartbeats(app(), "10.0.0.1").info()).setDataCenterInfo(amazon).build();
    same(204, requests.register(sent).getStatusCode());
    var found = (AmazonInfo) listed(requests, sent).getDataCenterInfo();
    same(new TreeMap<>(amazon.getMetadata()), new TreeMap<>(found.getMetadata()));
  }

  private static void delta(Clients clients) throws Exception {
    String app = app();
    var stays = clients.start(new Self(app, "10.0.0.1"));
    // A client that has found nothing asks for everything again.
    var requests = clients.requests();
    eventually(() -> requests.getApplication(app).getStatusCode(), 200);
    var consumer = clients.consumer();
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    var other = clients.start(new Self(app, "10.0.0.2"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP, 10.0.0.2 UP");
    stays.self.setInstanceStatus(InstanceStatus.DOWN);
    eventually(() -> consumer.sees(app), "10.0.0.1 DOWN, 10.0.0.2 UP");
    other.client.shutdown();
    eventually(() -> consumer.sees(app), "10.0.0.1 DOWN");
    same(1, consumer.calls.of("getApplications"));
    // Between the two questions the client may have gone on.
    eventually(() -> hasRightHash(consumer.client.getApplications()), true);
  }

  private static boolean hasRightHash(Applications all) {
    return all.getReconcileHashCode().equals(all.getAppsHashCode());
  }

  private static void hash(Clients clients) throws Exception {
    String app = app();
    clients.start(new Self(app, "10.0.0.1"));
    var consumer = clients.consumer();
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    consumer.client.getApplication(app).addInstance(new Self(app, "10.0.0.2").info());
    eventually(() -> consumer.calls.of("getApplications") > 1, true);
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
  }

  private static void many(Clients clients) throws Exception {
    var consumer = clients.consumer();
    var requests = clients.requests();
    String app = app();
    var sent = new ArrayList<InstanceInfo>();
    for (int at = 0; at < 50; at++) sent.add(Self.withoutHeartbeats(app, "10.0.1." + at).info());
    for (var one : sent) same(204, requests.register(one).getStatusCode());
    eventually(() -> consumer.instances(app).size(), 50);
    for (var one : sent) same(200, requests.cancel(one.getAppName(), one.getId()).getStatusCode());
    eventually(() -> consumer.instances(app).size(), 0);
  }

  private static void virtualHost(Clients clients) throws Exception {
    String app = app();
    clients.start(new Self(app, "10.0.0.1"));
    clients.start(new Self(app, "10.0.0.2"));
    var consumer = clients.consumer();
    var client = consumer.client;
    eventually(() -> consumer.sees(app), "10.0.0.1 UP, 10.0.0.2 UP");
    // The client sorts them after it has put them into its list.
    eventually(() -> client.getInstancesByVipAddress("vip-of-" + app, false).size(), 2);
    eventually(() -> client.getInstancesByVipAddress("svip-of-" + app, true).size(), 2);
    var first = client.getNextServerFromEureka("vip-of-" + app, false).getIPAddr();
    same(false, first.equals(client.getNextServerFromEureka("vip-of-" + app, false).getIPAddr()));
    // Not `getSecureVip`: both generations ask for `vips` then.
    same(2, clients.requests().getVip("vip-of-" + app).getEntity().size());
  }

  private static void oneVirtualHost(Clients clients) throws Exception {
    String app = app();
    String other = app();
    clients.start(new Self(other, "10.0.0.3"));
    clients.start(new Self(app, "10.0.0.1"));
    var settings = new Settings(clients.url());
    settings.isRegistered = false;
    settings.vip = "vip-of-" + app;
    var consumer = clients.start(new Self(app(), "10.9.9.9"), settings);
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    clients.start(new Self(app, "10.0.0.2"));
    eventually(() -> consumer.sees(app), "10.0.0.1 UP, 10.0.0.2 UP");
    same("", consumer.sees(other));
  }

  private static void unknown(Clients clients) throws Exception {
    var requests = clients.requests();
    var info = new Self(app(), "10.0.0.1").info();
    String app = info.getAppName();
    same(404, requests.sendHeartBeat(app, info.getId(), info, null).getStatusCode());
    same(404, requests.cancel(app, info.getId()).getStatusCode());
    same(404, requests.statusUpdate(app, info.getId(), InstanceStatus.DOWN, info).getStatusCode());
    same(404, requests.deleteStatusOverride(app, info.getId(), info).getStatusCode());
    same(404, requests.getApplication(app).getStatusCode());
    same(404, requests.getInstance(app, info.getId()).getStatusCode());
    same(0, requests.getVip("none").getEntity().size());
  }

  private static void ofNacos(Clients clients) throws Exception {
    var consumer = clients.consumer();
    String app = app();
    String instance = "/instance?serviceName=" + app + "&ip=10.0.0.1&port=80";
    clients.nacos("POST", instance + "&metadata=%7B%22version%22%3A%221%22%7D");
    eventually(() -> consumer.sees(app), "10.0.0.1 UP");
    // The client sorts them after it has put them into its list.
    eventually(() -> consumer.client.getInstancesByVipAddress(app, false).size(), 1);
    var found = consumer.client.getInstancesByVipAddress(app, false).get(0);
    same("10.0.0.1 80 {version=1}", found.getHostName() + " " + found.getPort() + " " + found.getMetadata());
    clients.nacos("PUT", instance + "&enabled=false");
    eventually(() -> consumer.sees(app), "10.0.0.1 OUT_OF_SERVICE");
    clients.nacos("DELETE", instance);
    eventually(() -> consumer.sees(app), "");
  }

  private static void toNacos(Clients clients) throws Exception {
    String app = app();
    String list = "/instance/list?serviceName=" + app;
    var provider = clients.start(new Self(app, "10.0.0.1"));
    eventually(() -> clients.nacos("GET", list), text -> text.contains("\"ip\":\"10.0.0.1\""), "the instance");
    var info = provider.info();
    clients.requests().statusUpdate(info.getAppName(), info.getId(), InstanceStatus.OUT_OF_SERVICE, info);
    eventually(() -> clients.nacos("GET", list), text -> text.contains("\"hosts\":[]"), "no instance");
    clients.requests().deleteStatusOverride(info.getAppName(), info.getId(), info);
    eventually(() -> clients.nacos("GET", list), text -> text.contains("\"ip\":\"10.0.0.1\""), "the instance");
    provider.client.shutdown();
    eventually(() -> clients.nacos("GET", list), text -> text.contains("\"hosts\":[]"), "no instance");
  }
}

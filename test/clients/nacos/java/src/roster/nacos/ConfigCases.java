package roster.nacos;

import static roster.nacos.Clients.eventually;
import static roster.nacos.Clients.refusal;
import static roster.nacos.Clients.same;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.config.ConfigChangeEvent;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.ConfigType;
import com.alibaba.nacos.api.config.listener.Listener;
import com.alibaba.nacos.client.config.listener.impl.AbstractConfigChangeListener;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

/** Configuration, as both generations of the client have it. */
final class ConfigCases {
  private static final String GROUP = "DEFAULT_GROUP";
  private static final long WAIT_MS = 5_000;
  private static int names;

  private ConfigCases() {}

  static Map<String, Case> all() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("configuration: what is published is read, until it is removed", ConfigCases::publish);
    cases.put("configuration: what is not there is null", ConfigCases::missing);
    cases.put("configuration: a listener is told the next content, and the last", ConfigCases::listen);
    cases.put("configuration: a listener that comes before is told the first content", ConfigCases::listenEarly);
    cases.put("configuration: a listener is told that it is removed, and back", ConfigCases::removed);
    cases.put("configuration: a listener that has left is told nothing", ConfigCases::unlisten);
    cases.put("configuration: reading and listening at once misses nothing", ConfigCases::readAndListen);
    cases.put("configuration: the digest decides who of two writers is first", ConfigCases::cas);
    cases.put("configuration: a changed property is told as such", ConfigCases::properties);
    cases.put("configuration: types of contents are kept", ConfigCases::types);
    cases.put("configuration: groups are told apart", ConfigCases::groups);
    cases.put("configuration: namespaces are told apart", ConfigCases::namespaces);
    cases.put("configuration: any text comes back as it was", ConfigCases::texts);
    cases.put("configuration: a megabyte is read and told", ConfigCases::large);
    cases.put("configuration: names that the server does not take are refused in words", ConfigCases::illegal);
    cases.put("configuration: a release for this address is shown, and its end", ConfigCases::beta);
    cases.put("configuration: a release for another address is not shown", ConfigCases::foreignBeta);
    cases.put("configuration: a hundred listeners are told at once", ConfigCases::hundred);
    cases.put("configuration: two hundred configurations are listened to at once", ConfigCases::many);
    cases.put("configuration: changes in a row end with the last one", ConfigCases::row);
    cases.put("configuration: the server says that it is up", ConfigCases::status);
    cases.put("configuration: what HTTP writes is told to a listener", ConfigCases::http);
    return cases;
  }

  /** A client in a namespace; empty for the default one. */
  private static ConfigService config(Clients clients, String namespace) throws Exception {
    var properties = new Properties();
    properties.put("serverAddr", clients.address());
    if (!namespace.isEmpty()) properties.put("namespace", namespace);
    return clients.keep(NacosFactory.createConfigService(properties), ConfigService::shutDown);
  }

  private static ConfigService config(Clients clients) throws Exception {
    return config(clients, "");
  }

  /** A name that no other case uses. */
  static synchronized String dataId() {
    return "config-" + ProcessHandle.current().pid() + "-" + names++;
  }

  static void publishAnew(ConfigService config, String dataId, String content) throws Exception {
    same(true, config.publishConfig(dataId, GROUP, content));
  }

  static String read(ConfigService config, String dataId) throws Exception {
    return config.getConfig(dataId, GROUP, WAIT_MS);
  }

  /** The contents that a listener was told, in order. */
  static final class Heard implements Listener {
    final List<String> contents = new CopyOnWriteArrayList<>();
    volatile long lastNanos;

    @Override
    public Executor getExecutor() {
      return null;
    }

    @Override
    public void receiveConfigInfo(String content) {
      lastNanos = System.nanoTime();
      contents.add("" + content);
    }

    String last() {
      return contents.isEmpty() ? "nothing" : contents.get(contents.size() - 1);
    }
  }

  private static void publish(Clients clients) throws Exception {
    var config = config(clients);
    String dataId = dataId();
    publishAnew(config, dataId, "v1");
    same("v1", read(config, dataId));
    publishAnew(config, dataId, "v2");
    same("v2", read(config(clients), dataId));
    same(true, config.removeConfig(dataId, GROUP));
    same(null, read(config, dataId));
  }

  private static void missing(Clients clients) throws Exception {
    var config = config(clients);
    same(null, read(config, dataId()));
    same(true, config.removeConfig(dataId(), GROUP));
  }

  private static void listen(Clients clients) throws Exception {
    var writer = config(clients);
    var reader = config(clients);
    String dataId = dataId();
    publishAnew(writer, dataId, "v1");
    var heard = new Heard();
    reader.addListener(dataId, GROUP, heard);
    eventually(heard::last, "v1");
    publishAnew(writer, dataId, "v2");
    eventually(heard::last, "v2");
    publishAnew(writer, dataId, "v3");
    eventually(heard::last, "v3");
  }

  private static void listenEarly(Clients clients) throws Exception {
    var reader = config(clients);
    String dataId = dataId();
    var heard = new Heard();
    reader.addListener(dataId, GROUP, heard);
    publishAnew(config(clients), dataId, "first");
    eventually(heard::last, "first");
  }

  private static void removed(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    publishAnew(writer, dataId, "v1");
    var heard = new Heard();
    config(clients).addListener(dataId, GROUP, heard);
    eventually(heard::last, "v1");
    writer.removeConfig(dataId, GROUP);
    eventually(heard::last, "null");
    publishAnew(writer, dataId, "v1");
    eventually(heard::last, "v1");
  }

  private static void unlisten(Clients clients) throws Exception {
    var writer = config(clients);
    var reader = config(clients);
    String dataId = dataId();
    publishAnew(writer, dataId, "v1");
    var gone = new Heard();
    var stays = new Heard();
    reader.addListener(dataId, GROUP, gone);
    eventually(gone::last, "v1");
    reader.removeListener(dataId, GROUP, gone);
    config(clients).addListener(dataId, GROUP, stays);
    publishAnew(writer, dataId, "v2");
    eventually(stays::last, "v2");
    same("v1", gone.last());
  }

  private static void readAndListen(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    publishAnew(writer, dataId, "v1");
    var heard = new Heard();
    same("v1", config(clients).getConfigAndSignListener(dataId, GROUP, WAIT_MS, heard));
    publishAnew(writer, dataId, "v2");
    eventually(heard::last, "v2");
  }

  private static void cas(Clients clients) throws Exception {
    var config = config(clients);
    String dataId = dataId();
    publishAnew(config, dataId, "v1");
    same(true, config.publishConfigCas(dataId, GROUP, "v2", md5("v1")));
    same(false, config.publishConfigCas(dataId, GROUP, "v3", md5("v1")));
    same("v2", read(config, dataId));
    same(true, config.publishConfigCas(dataId(), GROUP, "new", md5("anything")));
  }

  private static void properties(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    same(true, writer.publishConfig(dataId, GROUP, "a=1\nb=2", ConfigType.PROPERTIES.getType()));
    var told = new CopyOnWriteArrayList<String>();
    var reader = config(clients);
    reader.addListener(dataId, GROUP, new AbstractConfigChangeListener() {
      @Override
      public void receiveConfigChange(ConfigChangeEvent event) {
        for (var item : event.getChangeItems()) told.add(item.getKey() + " " + item.getType());
      }
    });
    eventually(() -> told.contains("a ADDED") && told.contains("b ADDED"), true);
    told.clear();
    same(true, writer.publishConfig(dataId, GROUP, "a=3\nc=4", ConfigType.PROPERTIES.getType()));
    eventually(() -> List.of("a MODIFIED", "b DELETED", "c ADDED").equals(told.stream().sorted().toList()), true);
  }

  private static void types(Clients clients) throws Exception {
    var config = config(clients);
    for (var type : List.of(ConfigType.JSON, ConfigType.YAML, ConfigType.XML, ConfigType.HTML, ConfigType.TOML)) {
      String dataId = dataId();
      same(true, config.publishConfig(dataId, GROUP, "x", type.getType()));
      var answer = get(clients, "/v3/admin/cs/config?groupName=" + GROUP + "&dataId=" + dataId);
      same(true, answer.contains("\"type\":\"" + type.getType() + "\""));
    }
  }

  private static void groups(Clients clients) throws Exception {
    var config = config(clients);
    String dataId = dataId();
    same(true, config.publishConfig(dataId, "one", "1"));
    same(true, config.publishConfig(dataId, "two", "2"));
    same("1", config.getConfig(dataId, "one", WAIT_MS));
    same("2", config.getConfig(dataId, "two", WAIT_MS));
    same(null, read(config, dataId));
  }

  private static void namespaces(Clients clients) throws Exception {
    String dataId = dataId();
    var own = config(clients, "tests");
    publishAnew(own, dataId, "own");
    same(null, read(config(clients), dataId));
    var heard = new Heard();
    config(clients, "tests").addListener(dataId, GROUP, heard);
    eventually(heard::last, "own");
    same("own", read(own, dataId));
    publishAnew(own, dataId, "owner");
    eventually(heard::last, "owner");
    publishAnew(config(clients), dataId, "public");
    var ofPublic = new Heard();
    config(clients, "public").addListener(dataId, GROUP, ofPublic);
    eventually(ofPublic::last, "public");
    publishAnew(config(clients), dataId, "public again");
    eventually(ofPublic::last, "public again");
    same("public again", read(config(clients, "public"), dataId));
    same("owner", heard.last());
  }

  private static void texts(Clients clients) throws Exception {
    var config = config(clients);
    for (var text : List.of("größer ✓ \uD83D\uDC90", " \n x\t", "{\"a\": [1, null]}", "a%20b+c&d=e", "\uFEFFmark", "<a>&amp;</a>")) {
      String dataId = dataId();
      publishAnew(config, dataId, text);
      same(text, read(config(clients), dataId));
    }
  }

  private static void large(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    var heard = new Heard();
    config(clients).addListener(dataId, GROUP, heard);
    var content = "0123456789abcdef".repeat(64 * 1024);
    publishAnew(writer, dataId, content);
    eventually(() -> heard.last().length(), content.length());
    same(content, read(config(clients), dataId));
  }

  private static void illegal(Clients clients) throws Exception {
    var config = config(clients);
    for (var name : List.of("a b", "a/b", "a#b")) {
      var refusal = refusal(() -> config.publishConfig(name, GROUP, "x"));
      same(true, refusal.getErrMsg().toLowerCase().contains("dataid"));
    }
    // The client takes any letter; the server does not.
    same(false, config.publishConfig("ä", GROUP, "x"));
    same(false, config.publishConfig(dataId(), GROUP, "x".repeat(2 * 1024 * 1024 + 1)));
  }

  private static void beta(Clients clients) throws Exception {
    var config = config(clients);
    String dataId = dataId();
    publishAnew(config, dataId, "formal");
    var heard = new Heard();
    config(clients).addListener(dataId, GROUP, heard);
    eventually(heard::last, "formal");
    var form = "groupName=" + GROUP + "&dataId=" + dataId + "&content=beta";
    same(true, post(clients, "/v3/admin/cs/config", form, "127.0.0.1").contains("\"data\":true"));
    eventually(heard::last, "beta");
    same("beta", read(config(clients), dataId));
    delete(clients, "/v3/admin/cs/config/beta?groupName=" + GROUP + "&dataId=" + dataId);
    eventually(heard::last, "formal");
  }

  private static void foreignBeta(Clients clients) throws Exception {
    var config = config(clients);
    String dataId = dataId();
    publishAnew(config, dataId, "formal");
    post(clients, "/v3/admin/cs/config", "groupName=" + GROUP + "&dataId=" + dataId + "&content=beta", "10.9.9.9");
    same("formal", read(config(clients), dataId));
  }

  private static void hundred(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    publishAnew(writer, dataId, "v0");
    // Four clients with many listeners each, which a client tells in turn.
    var readers = new ArrayList<Heard>();
    for (int client = 0; client < 4; client++) {
      var reader = config(clients);
      for (int listener = 0; listener < 25; listener++) {
        var heard = new Heard();
        reader.addListener(dataId, GROUP, heard);
        readers.add(heard);
      }
    }
    for (var heard : readers) eventually(heard::last, "v0");
    var delays = new ArrayList<Long>();
    for (int change = 1; change <= 10; change++) {
      Thread.sleep(200);
      String content = "v" + change;
      long begin = System.nanoTime();
      publishAnew(writer, dataId, content);
      for (var heard : readers) eventually(heard::last, content);
      for (var heard : readers) delays.add((heard.lastNanos - begin) / 1_000_000);
    }
    delays.sort(null);
    System.out.printf("  configuration: half of the listeners within %d ms, 99 %% within %d ms%n",
        delays.get(delays.size() / 2), delays.get(delays.size() * 99 / 100));
    same(true, delays.get(delays.size() / 2) <= 1_000);
  }

  private static void many(Clients clients) throws Exception {
    var writer = config(clients);
    var reader = config(clients);
    var all = new LinkedHashMap<String, Heard>();
    for (int at = 0; at < 200; at++) {
      var heard = new Heard();
      String dataId = dataId();
      all.put(dataId, heard);
      reader.addListener(dataId, GROUP, heard);
    }
    for (var dataId : all.keySet()) publishAnew(writer, dataId, "of " + dataId);
    for (var entry : all.entrySet()) eventually(entry.getValue()::last, "of " + entry.getKey());
  }

  private static void row(Clients clients) throws Exception {
    var writer = config(clients);
    String dataId = dataId();
    var heard = new Heard();
    config(clients).addListener(dataId, GROUP, heard);
    for (int change = 0; change <= 50; change++) publishAnew(writer, dataId, "v" + change);
    eventually(heard::last, "v50");
  }

  private static void status(Clients clients) throws Exception {
    eventually(config(clients)::getServerStatus, "UP");
  }

  private static void http(Clients clients) throws Exception {
    String dataId = dataId();
    var heard = new Heard();
    config(clients).addListener(dataId, GROUP, heard);
    same("true", post(clients, "/v1/cs/configs", "group=" + GROUP + "&dataId=" + dataId + "&content=by+HTTP", ""));
    eventually(heard::last, "by HTTP");
    delete(clients, "/v2/cs/config?group=" + GROUP + "&dataId=" + dataId);
    eventually(heard::last, "null");
  }

  private static String get(Clients clients, String path) throws Exception {
    return send(clients, path, HttpRequest.newBuilder().GET());
  }

  private static String delete(Clients clients, String path) throws Exception {
    return send(clients, path, HttpRequest.newBuilder().DELETE());
  }

  private static String post(Clients clients, String path, String form, String betaIps) throws Exception {
    var request = HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString(form));
    request.header("content-type", "application/x-www-form-urlencoded");
    if (!betaIps.isEmpty()) request.header("betaIps", betaIps);
    return send(clients, path, request);
  }

  private static String send(Clients clients, String path, HttpRequest.Builder request) throws Exception {
    var uri = URI.create("http://" + clients.address() + "/nacos" + path);
    return HttpClient.newHttpClient().send(request.uri(uri).build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  static String md5(String text) throws Exception {
    var digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest);
  }
}

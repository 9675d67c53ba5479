import com.alipay.remoting.BizContext;
import com.alipay.sofa.registry.client.api.Publisher;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.event.DefaultEventBus;
import com.alipay.sofa.registry.client.provider.AbstractInternalRegister;
import com.alipay.sofa.registry.client.provider.DefaultObserverHandler;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfig;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.client.provider.RegisterCache;
import com.alipay.sofa.registry.client.remoting.ClientConnection;
import com.alipay.sofa.registry.client.remoting.ReceivedDataProcessor;
import com.alipay.sofa.registry.client.task.ObserverHandler;
import com.alipay.sofa.registry.core.model.ReceivedData;
import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * SOFARegistry's own clients under the fault suite. Reads orders ({@code open}, {@code publish}, {@code subscribe}, words
 * apart by tabs) and prints what happens as rows of the history, one JSON object a line (history/event.ts). It ends with
 * its input. Arguments: {@code name=address} of every session, whose HTTP port is 9603.
 */
public final class FaultClient {
  private static final int HTTP_PORT = 9603;
  // How exactly acknowledgements and connections are seen: the client tells of neither.
  private static final long LOOK_MS = 5;

  private static final PrintStream OUTPUT = System.out;
  private static final Map<String, String> SESSIONS = new HashMap<>();
  private static final Map<String, FaultClient> CLIENTS = new ConcurrentHashMap<>();

  private final String name;
  private final DefaultRegistryClient real;
  private final ClientConnection connection;
  private final Map<String, Registration> registrations = new ConcurrentHashMap<>();
  /** By registId, the names in the history. */
  private final Map<String, String> subscriptions = new ConcurrentHashMap<>();
  private int connections;
  private String connectedTo;

  /** What is to be said of a registration; guarded by itself. */
  private static final class Registration {
    Publisher publisher;
    int version;
    int acknowledged;
  }

  public static void main(String[] arguments) throws Exception {
    // The client's logging, which is off, says so on standard output several times.
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    for (var argument : arguments) {
      var parts = argument.split("=");
      SESSIONS.put(parts[0], parts[1]);
    }
    var looking = new Thread(FaultClient::look, "look");
    looking.setDaemon(true);
    looking.start();
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = input.readLine()) != null; ) {
      obey(line.split("\t"));
    }
    System.exit(0);
  }

  private static void obey(String[] words) throws Exception {
    switch (words[0]) {
      case "open" -> CLIENTS.put(words[1], new FaultClient(words[1], SESSIONS.get(words[2])));
      case "publish" -> CLIENTS.get(words[1]).publish(words[2], words[3]);
      case "subscribe" -> CLIENTS.get(words[1]).subscribe(words[2], words[3]);
      default -> throw new IllegalArgumentException("unknown order " + words[0]);
    }
  }

  private FaultClient(String name, String endpoint) throws Exception {
    this.name = name;
    DefaultRegistryClientConfig config =
        DefaultRegistryClientConfigBuilder.start()
            .setAppName("faults")
            .setRegistryEndpoint(endpoint)
            .setRegistryEndpointPort(HTTP_PORT)
            .build();
    real = new DefaultRegistryClient(config);
    var observers = new DefaultObserverHandler(config, new DefaultEventBus(config));
    real.setObserverHandler(observers);
    real.setUserProcessorMap(Map.of(ReceivedData.class, new Pushes(real.getRegisterCache(), observers)));
    real.init();
    var field = DefaultRegistryClient.class.getDeclaredField("client");
    field.setAccessible(true);
    connection = (ClientConnection) field.get(real);
  }

  private void publish(String registration, String service) {
    var known = registrations.computeIfAbsent(registration, key -> new Registration());
    synchronized (known) {
      known.version++;
      var token = registration + "~" + known.version;
      say("call", "registration", registration, "service", service, "version", known.version, "token", token);
      if (known.publisher == null) {
        known.publisher = real.register(new PublisherRegistration(service), token);
      } else {
        known.publisher.republish(token);
      }
    }
  }

  private void subscribe(String subscription, String service) {
    say("subscribe", "subscription", subscription, "service", service);
    var registration = new SubscriberRegistration(service, (dataId, data) -> {});
    registration.setScopeEnum(ScopeEnum.dataCenter);
    // The first push can come before this call is back: it waits for the name then.
    synchronized (subscriptions) {
      subscriptions.put(real.register(registration).getRegistId(), subscription);
    }
  }

  /** Every push as it came from the connection, before the client decides whether it is new. */
  private final class Pushes extends ReceivedDataProcessor {
    Pushes(RegisterCache cache, ObserverHandler observers) {
      super(cache, observers);
    }

    @Override
    public Object handleRequest(BizContext context, ReceivedData data) {
      List<String> tokens = new ArrayList<>();
      data.getData().values().forEach(boxes -> boxes.forEach(box -> tokens.add(box.getData())));
      var version = String.valueOf(data.getVersion());
      // Only for telling apart what came over which connection.
      var number = System.identityHashCode(context.getConnection());
      for (var registId : data.getSubscriberRegistIds()) {
        String subscription;
        synchronized (subscriptions) {
          subscription = subscriptions.get(registId);
        }
        say("push", "subscription", subscription, "connection", number, "version", version, "tokens", tokens);
      }
      return super.handleRequest(context, data);
    }

    @Override
    public boolean processInIOThread() {
      return true;
    }
  }

  private static void look() {
    try {
      for (; ; Thread.sleep(LOOK_MS)) {
        CLIENTS.values().forEach(FaultClient::lookOnce);
      }
    } catch (InterruptedException end) {
      // Nobody interrupts it.
    }
  }

  private void lookOnce() {
    lookAtConnection();
    registrations.forEach(
        (registration, known) -> {
          synchronized (known) {
            var isDone = known.publisher != null && ((AbstractInternalRegister) known.publisher).isDone();
            if (isDone && known.acknowledged != known.version) {
              say("ack", "registration", registration, "version", known.version);
            }
            known.acknowledged = isDone ? known.version : 0;
          }
        });
  }

  private void lookAtConnection() {
    var address = connection.isConnected() ? connection.getRemoteAddress() : null;
    if (address == null ? connectedTo == null : address.equals(connectedTo)) {
      return;
    }
    if (connectedTo != null) {
      say("closed", "connection", connections);
    }
    connectedTo = address;
    if (address != null) {
      connections++;
      say("connected", "connection", connections, "session", sessionAt(address));
    }
  }

  private static String sessionAt(String host) {
    return SESSIONS.entrySet().stream()
        .filter(entry -> entry.getValue().equals(host))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(host);
  }

  /** Prints a row: names and values in turn. System.nanoTime is the machine's monotonic clock. */
  private void say(String kind, Object... fields) {
    var row = new StringBuilder();
    row.append("{\"kind\":").append(json(kind)).append(",\"t\":").append(System.nanoTime() / 1e6);
    row.append(",\"client\":").append(json(name));
    for (int at = 0; at < fields.length; at += 2) {
      row.append(',').append(json(fields[at])).append(':').append(json(fields[at + 1]));
    }
    synchronized (OUTPUT) {
      OUTPUT.println(row.append('}'));
      OUTPUT.flush();
    }
  }

  private static String json(Object value) {
    if (value instanceof List<?> list) {
      return "[" + String.join(",", list.stream().map(FaultClient::json).toList()) + "]";
    }
    // Names and tokens of the suite hold no quotes and no backslashes.
    return value instanceof Number ? value.toString() : '"' + value.toString() + '"';
  }
}

package roster.nacos;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Nacos' own clients of one server; they end with the case that asked for them. */
final class Clients implements AutoCloseable {
  private static final long WAIT_MS = 15_000;
  private final String address;
  private final List<NamingService> open = new ArrayList<>();
  private final List<End> others = new ArrayList<>();
  private static int services;

  Clients(String address) {
    this.address = address;
  }

  String address() {
    return address;
  }

  /** A client in a namespace of its own choice; empty for the default one. */
  NamingService naming(String namespace) throws NacosException {
    var properties = new Properties();
    properties.put("serverAddr", address);
    if (!namespace.isEmpty()) properties.put("namespace", namespace);
    var client = NacosFactory.createNamingService(properties);
    open.add(client);
    return client;
  }

  NamingService naming() throws NacosException {
    return naming("");
  }

  /** Keeps a client of another kind until the case ends. */
  <T> T keep(T client, EndOf<T> end) {
    others.add(() -> end.end(client));
    return client;
  }

  private interface End {
    void end() throws NacosException;
  }

  /** The way to end a client. */
  interface EndOf<T> {
    void end(T client) throws NacosException;
  }

  /** A name that no other case uses. */
  static synchronized String service() {
    return "service-" + ProcessHandle.current().pid() + "-" + services++;
  }

  static Instance instance(String ip, int port) {
    var instance = new Instance();
    instance.setIp(ip);
    instance.setPort(port);
    return instance;
  }

  /** The addresses in a list, in order. */
  static String addresses(List<Instance> instances) {
    return instances.stream().map(Instance::toInetAddr).sorted().collect(Collectors.joining(" "));
  }

  /** Waits until the question has the expected answer. */
  static <T> void eventually(Callable<T> question, T expected) throws Exception {
    eventually(question, expected::equals, "" + expected);
  }

  static <T> void eventually(Callable<T> question, Predicate<T> isExpected, String expected) throws Exception {
    long end = System.nanoTime() + WAIT_MS * 1_000_000;
    T answer = question.call();
    while (!isExpected.test(answer)) {
      if (System.nanoTime() > end) throw new AssertionError("still " + answer + " instead of " + expected);
      Thread.sleep(5);
      answer = question.call();
    }
  }

  static void same(Object expected, Object found) {
    if (!String.valueOf(expected).equals(String.valueOf(found))) {
      throw new AssertionError("found " + found + " instead of " + expected);
    }
  }

  /** The refusal of a call. */
  static NacosException refusal(Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (NacosException exception) {
      return exception;
    }
    throw new AssertionError("not refused");
  }

  /** A listener that keeps the last list that it was told. */
  static final class Told implements EventListener {
    private volatile List<Instance> last;
    private final List<Long> times = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void onEvent(com.alibaba.nacos.api.naming.listener.Event event) {
      last = ((NamingEvent) event).getInstances();
      times.add(System.nanoTime());
    }

    String addresses() {
      var list = last;
      return list == null ? "nothing" : Clients.addresses(list);
    }

    List<Instance> last() {
      return last;
    }

    int count() {
      return times.size();
    }

    long lastNanos() {
      return times.get(times.size() - 1);
    }
  }

  @Override
  public void close() throws NacosException {
    for (var client : open) client.shutDown();
    open.clear();
    for (var other : others) other.end();
    others.clear();
  }
}

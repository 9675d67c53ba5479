package roster.acceptance.harness;

import com.alipay.sofa.registry.client.api.Subscriber;
import com.alipay.sofa.registry.client.api.SubscriberDataObserver;
import com.alipay.sofa.registry.client.api.model.UserData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A subscription and all that its observer was called with. */
public final class Watch implements SubscriberDataObserver {
  /** Longest that a change may take to be seen, where a case does not say otherwise. The real server needs 3 s. */
  public static final Duration LIMIT = Duration.ofSeconds(5);

  /** The zone of a client that was given none. */
  public static final String ZONE = "DEFAULT_ZONE";

  /** One call of the observer. */
  public record Seen(Map<String, List<String>> zones, String localZone, long nanos) {
    /** The values of all zones together. */
    public List<String> values() {
      return zones.values().stream().flatMap(Collection::stream).toList();
    }
  }

  private final String dataId;
  private final Consumer<Seen> listener;
  private final List<Seen> calls = new CopyOnWriteArrayList<>();
  private volatile Subscriber subscriber;

  Watch(String dataId, Consumer<Seen> listener) {
    this.dataId = dataId;
    this.listener = listener;
  }

  void attach(Subscriber registered) {
    subscriber = registered;
  }

  @Override
  public void handleData(String pushedDataId, UserData data) {
    Map<String, List<String>> zones = new HashMap<>();
    data.getZoneData().forEach((zone, values) -> zones.put(zone, new ArrayList<>(values)));
    var seen = new Seen(Collections.unmodifiableMap(zones), data.getLocalZone(), System.nanoTime());
    calls.add(seen);
    listener.accept(seen);
  }

  public Subscriber subscriber() {
    return subscriber;
  }

  String registId() {
    return subscriber.getRegistId();
  }

  public List<Seen> calls() {
    return List.copyOf(calls);
  }

  /** The calls from this moment ({@link System#nanoTime}) on. */
  public List<Seen> callsSince(long nanos) {
    return calls.stream().filter(seen -> seen.nanos() >= nanos).toList();
  }

  /** The last call. */
  public Seen latest() {
    Check.that(!calls.isEmpty(), "%s: no push yet", dataId);
    return calls.get(calls.size() - 1);
  }

  /** Waits for the first call; it may come with an empty list. */
  public Duration awaitFirst() {
    return Await.until(LIMIT, () -> !calls.isEmpty(), () -> dataId + " has had a first push");
  }

  /** Waits until exactly these zones with exactly these values, in order, are shown. */
  public Duration awaitZones(Map<String, List<String>> zones) {
    return await(LIMIT, zones.toString(), seen -> seen.zones().equals(zones));
  }

  /** Waits until the default zone has exactly these values in this order, and no other zone is shown. */
  public Duration awaitExactly(String... values) {
    return awaitZones(Map.of(ZONE, List.of(values)));
  }

  /** Waits until no value is shown. */
  public Duration awaitNothing() {
    return await(LIMIT, "no value", seen -> seen.values().isEmpty());
  }

  /** Waits until this many values are shown. */
  public Duration awaitCount(int count, Duration limit) {
    return await(limit, count + " values", seen -> seen.values().size() == count);
  }

  public Duration await(Duration limit, String expected, Predicate<Seen> condition) {
    return Await.until(
        limit,
        () -> !calls.isEmpty() && condition.test(latest()),
        () -> "%s shows %s; it shows %s".formatted(dataId, Check.quote(expected), shown()));
  }

  private String shown() {
    if (calls.isEmpty()) {
      return "no push yet";
    }
    var last = latest();
    return "%s (%d values, %d calls)".formatted(Check.quote(last.zones()), last.values().size(), calls.size());
  }
}

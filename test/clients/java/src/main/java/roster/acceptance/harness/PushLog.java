package roster.acceptance.harness;

import com.alipay.remoting.BizContext;
import com.alipay.sofa.registry.client.provider.RegisterCache;
import com.alipay.sofa.registry.client.remoting.ReceivedDataProcessor;
import com.alipay.sofa.registry.client.task.ObserverHandler;
import com.alipay.sofa.registry.core.model.ReceivedData;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * The client's own handling of pushes, and a record of them. The client silently drops a push whose version is not
 * higher than the last, so an observer alone can not see a server that goes back; this log can. Pushes are handled in
 * the thread that reads the connection, for only then the order here is the order on the wire.
 */
public final class PushLog extends ReceivedDataProcessor {
  /** One push to one subscriber; the data only as a hash, since it can be megabytes. */
  private record Push(String registId, String segment, String dataId, long version, int dataHash) {
    String key() {
      return registId + " " + segment;
    }
  }

  private final List<Push> pushes = new CopyOnWriteArrayList<>();

  PushLog(RegisterCache cache, ObserverHandler observers) {
    super(cache, observers);
  }

  @Override
  public Object handleRequest(BizContext context, ReceivedData data) {
    // Not data.toString(): a DataBox prints itself without regard to null, and megabytes would be copied.
    int hash = data.getData() == null ? 0 : hashOf(data);
    for (var registId : data.getSubscriberRegistIds()) {
      pushes.add(new Push(registId, data.getSegment(), data.getDataId(), data.getVersion(), hash));
    }
    return super.handleRequest(context, data);
  }

  @Override
  public boolean processInIOThread() {
    return true;
  }

  /** How many pushes named this subscriber. */
  public long countFor(Watch watch) {
    return pushesTo(watch).count();
  }

  /** The highest version pushed to this subscriber, or 0. */
  public long versionFor(Watch watch) {
    return pushesTo(watch).mapToLong(Push::version).max().orElse(0);
  }

  private Stream<Push> pushesTo(Watch watch) {
    return pushes.stream().filter(push -> push.registId().equals(watch.registId()));
  }

  /** Fails if any subscriber was ever pushed a version below an earlier one, or other data under the same version. */
  void verify() {
    Map<String, Push> latest = new HashMap<>();
    for (var push : pushes) {
      var before = latest.put(push.key(), push);
      if (before == null) {
        continue;
      }
      Check.that(
          push.version() >= before.version(),
          "%s: version %d was pushed after %d",
          push.dataId(),
          push.version(),
          before.version());
      Check.that(
          push.version() > before.version() || push.dataHash() == before.dataHash(),
          "%s: version %d was pushed with two different contents; the client keeps the first",
          push.dataId(),
          push.version());
    }
  }

  private static int hashOf(ReceivedData data) {
    Map<String, List<String>> zones = new HashMap<>();
    data.getData().forEach((zone, boxes) -> zones.put(zone, boxes.stream().map(box -> box.getData()).toList()));
    return zones.hashCode();
  }
}

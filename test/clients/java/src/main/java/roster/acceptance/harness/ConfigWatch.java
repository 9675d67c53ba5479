package roster.acceptance.harness;

import com.alipay.sofa.registry.client.api.ConfigDataObserver;
import com.alipay.sofa.registry.client.api.model.ConfigData;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/** A configurator and all values that its observer was called with; a null is a call too. */
public final class ConfigWatch implements ConfigDataObserver {
  private final String dataId;
  private final List<ConfigData> calls = new CopyOnWriteArrayList<>();

  ConfigWatch(String dataId) {
    this.dataId = dataId;
  }

  @Override
  public void handleData(String pushedDataId, ConfigData data) {
    calls.add(data);
  }

  /** Waits until the last call came with this value, which may be null. */
  public Duration await(String value, Duration limit) {
    return Await.until(
        limit,
        () -> !calls.isEmpty() && Objects.equals(calls.get(calls.size() - 1).getData(), value),
        () -> "%s has the value %s; calls: %s".formatted(dataId, value, calls));
  }
}

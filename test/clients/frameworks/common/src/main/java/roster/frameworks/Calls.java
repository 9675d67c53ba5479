package roster.frameworks;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/** Calls without end, and who answered them. */
final class Calls {
  /** More than one is under way when something is killed, and a call that hangs is not the end of all. */
  private static final int THREADS = 2;

  /** Some hundred calls a second: enough to hit every gap, and nothing for the processor. */
  private static final long PAUSE_MS = 10;

  private final Callable<String> call;
  private final TreeMap<String, Integer> answered = new TreeMap<>();
  private final List<String> failed = new ArrayList<>();

  Calls(Callable<String> call) {
    this.call = call;
  }

  void start() {
    for (int i = 0; i < THREADS; i++) {
      var thread = new Thread(this::callForEver, "calls-" + i);
      thread.setDaemon(true);
      thread.start();
    }
  }

  /**
   * What was called since the last report: "answered NAME COUNT" for each provider, and "failed BEGAN ENDED TEXT" for
   * each call that failed, in milliseconds since 1970.
   */
  synchronized String[] report() {
    var lines = new ArrayList<String>();
    answered.forEach((name, count) -> lines.add("answered " + name + " " + count));
    lines.addAll(failed);
    answered.clear();
    failed.clear();
    return lines.toArray(String[]::new);
  }

  private void callForEver() {
    while (true) {
      callOnce();
      try {
        Thread.sleep(PAUSE_MS);
      } catch (InterruptedException end) {
        return;
      }
    }
  }

  private void callOnce() {
    long began = System.currentTimeMillis();
    try {
      var name = call.call();
      synchronized (this) {
        answered.merge(name, 1, Integer::sum);
      }
    } catch (Exception error) {
      var line = "failed " + began + " " + System.currentTimeMillis() + " " + error.toString().replaceAll("\\s+", " ");
      synchronized (this) {
        failed.add(line);
      }
    }
  }
}

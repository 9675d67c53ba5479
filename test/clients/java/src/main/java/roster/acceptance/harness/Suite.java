package roster.acceptance.harness;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs cases, prints one line for each, and counts. */
public final class Suite {
  /** More would make the cases' deadlines a matter of luck on a machine of two cores. */
  private static final int TOGETHER_MAX = 6;

  private final Stage stage;
  private final PrintStream output;
  private final AtomicInteger passed = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();

  public Suite(Stage stage, PrintStream output) {
    this.stage = stage;
    this.output = output;
  }

  /** Runs the cases and says whether all passed. No case at all is a failure: a filter was mistyped. */
  public boolean run(List<Case> cases) throws InterruptedException {
    var pool = Executors.newFixedThreadPool(TOGETHER_MAX);
    in(cases, Case.Lane.TOGETHER).forEach(each -> pool.execute(() -> runOne(each)));
    pool.shutdown();
    // Each wait inside a case has its own deadline, so this one never decides.
    pool.awaitTermination(1, TimeUnit.HOURS);
    in(cases, Case.Lane.ALONE).forEach(this::runOne);
    reportCrashes();
    report("%d passed, %d failed".formatted(passed.get(), failed.get()));
    return failed.get() == 0 && passed.get() > 0;
  }

  private static List<Case> in(List<Case> cases, Case.Lane lane) {
    return cases.stream().filter(each -> each.lane() == lane).toList();
  }

  private void runOne(Case each) {
    long start = System.nanoTime();
    var scene = new Scene(stage, each.name());
    try (scene) {
      each.body().run(scene);
      scene.verify();
    } catch (Exception | AssertionError error) {
      failed.incrementAndGet();
      report("FAIL %s: %s".formatted(each.name(), oneLine(error)));
      return;
    }
    passed.incrementAndGet();
    long ms = Duration.ofNanos(System.nanoTime() - start).toMillis();
    report("PASS %s (%d ms)%s".formatted(each.name(), ms, scene.notes()));
  }

  /** A server that ends fails the suite even if each case came through by luck. */
  private void reportCrashes() {
    for (var lastWords : stage.crashes()) {
      failed.incrementAndGet();
      report("FAIL server.keeps_running: it ended by itself: " + lastWords);
    }
  }

  private static String oneLine(Throwable error) {
    var text = error instanceof AssertionError ? error.getMessage() : error.toString();
    return text.replaceAll("\\s*\\R\\s*", " | ");
  }

  private synchronized void report(String line) {
    output.println(line);
    output.flush();
  }
}

package roster.acceptance.harness;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting is polling with a deadline. */
public final class Await {
  private static final long POLL_MS = 5;

  private Await() {}

  /** Returns how long it took until {@code condition} held; fails with {@code failure} after {@code limit}. */
  public static Duration until(Duration limit, BooleanSupplier condition, Supplier<String> failure) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > limit.toNanos()) {
        throw new AssertionError("not within %d ms: %s".formatted(limit.toMillis(), failure.get()));
      }
      pass(Duration.ofMillis(POLL_MS));
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Lets time pass, for a case whose point is that nothing happens meanwhile, or that paces what it does. */
  public static void pass(Duration duration) {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException("a case was interrupted", interrupted);
    }
  }
}

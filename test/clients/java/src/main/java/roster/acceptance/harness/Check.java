package roster.acceptance.harness;

import java.time.Duration;
import java.util.Objects;

/** What a case demands of a value it has. */
public final class Check {
  private static final int QUOTED_MAX = 200;

  private Check() {}

  public static void that(boolean condition, String failure, Object... arguments) {
    if (!condition) {
      throw new AssertionError(failure.formatted(arguments));
    }
  }

  public static void equal(Object expected, Object actual, String what) {
    that(Objects.equals(expected, actual), "%s: expected %s, got %s", what, quote(expected), quote(actual));
  }

  public static void between(Duration least, Duration most, Duration actual, String what) {
    that(
        actual.compareTo(least) >= 0 && actual.compareTo(most) <= 0,
        "%s after %d ms, expected %d to %d",
        what,
        actual.toMillis(),
        least.toMillis(),
        most.toMillis());
  }

  /** A value as text, cut where a payload of megabytes would fill the log. */
  public static String quote(Object value) {
    var text = String.valueOf(value);
    return text.length() <= QUOTED_MAX ? text : text.substring(0, QUOTED_MAX) + "... (" + text.length() + " chars)";
  }
}

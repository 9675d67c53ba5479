package roster.acceptance.harness;

/** One acceptance case: a name as {@code topic.behaviour}, how it shares the machine, and what it does. */
public record Case(String name, Lane lane, Body body) {
  /** Whether a case may run beside others. */
  public enum Lane {
    /** Independent of time; several run at once. */
    TOGETHER,
    /** Measures time, or would disturb a neighbour's measurement; runs alone, after all others. */
    ALONE
  }

  /** What a case does: it returns when it passed and throws when it failed. */
  @FunctionalInterface
  public interface Body {
    void run(Scene scene) throws Exception;
  }

  public static Case of(String name, Body body) {
    return new Case(name, Lane.TOGETHER, body);
  }

  public static Case alone(String name, Body body) {
    return new Case(name, Lane.ALONE, body);
  }
}

package roster.nacos;

import java.lang.reflect.InvocationTargetException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.LogManager;

/**
 * Runs Nacos' own client against a server: `Main address [filter]` runs the cases whose name contains the filter. Cases
 * that only the newer client can have are in another folder, and found by name.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    // gRPC reports what it does with calls that are over.
    LogManager.getLogManager().reset();
    String filter = args.length > 1 ? args[1] : "";
    Map<String, Case> cases = new LinkedHashMap<>(NamingCases.all());
    cases.putAll(ConfigCases.all());
    cases.putAll(newerCases("NewerCases"));
    cases.putAll(newerCases("NewerConfigCases"));
    int failed = 0;
    int passed = 0;
    for (var entry : cases.entrySet()) {
      if (!entry.getKey().contains(filter)) continue;
      long begin = System.nanoTime();
      try (var clients = new Clients(args[0])) {
        entry.getValue().run(clients);
        passed++;
        System.out.printf("ok %s (%d ms)%n", entry.getKey(), (System.nanoTime() - begin) / 1_000_000);
      } catch (Throwable fault) {
        failed++;
        System.out.printf("FAILED %s%n", entry.getKey());
        fault.printStackTrace(System.out);
      }
    }
    System.out.printf("%d passed, %d failed%n", passed, failed);
    System.exit(failed == 0 && passed > 0 ? 0 : 1);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Case> newerCases(String name) throws ReflectiveOperationException {
    try {
      var all = Class.forName("roster.nacos." + name).getDeclaredMethod("all");
      return (Map<String, Case>) all.invoke(null);
    } catch (ClassNotFoundException absent) {
      return Map.of();
    } catch (InvocationTargetException fault) {
      throw new IllegalStateException(fault.getCause());
    }
  }
}

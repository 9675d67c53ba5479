package roster.eureka;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.LogManager;

/**
 * Runs Netflix' own client against a server: `Main url nacos [filter]`, where `nacos` is the address of the same
 * registry for Nacos' clients, runs the cases whose name contains the filter. `Main --application url name ip` is an
 * application that registers itself and never ends.
 */
public final class Main {
  // Cases wait most of their time for the clients' rounds.
  private static final int AT_ONCE = 8;

  private Main() {}

  public static void main(String[] args) throws Exception {
    // The transport reports what it does with connections that are over.
    LogManager.getLogManager().reset();
    if (args[0].equals("--application")) {
      new Application(new Self(args[2], args[3]), new Settings(args[1]));
      Thread.currentThread().join();
    }
    // Two threads that begin with the client's configuration at the same time wait for each other for ever.
    new Self("first", "10.0.0.1").info();
    new Settings(args[0]);
    String filter = args.length > 2 ? args[2] : "";
    Map<String, Case> cases = new LinkedHashMap<>(LifeCases.all());
    cases.putAll(ListCases.all());
    var passed = new AtomicInteger();
    var failed = new AtomicInteger();
    var pool = Executors.newFixedThreadPool(AT_ONCE);
    cases.forEach((name, one) -> {
      if (name.contains(filter)) pool.execute(() -> (run(name, one, args) ? passed : failed).incrementAndGet());
    });
    pool.shutdown();
    pool.awaitTermination(1, TimeUnit.DAYS);
    System.out.printf("%d passed, %d failed%n", passed.get(), failed.get());
    System.exit(failed.get() == 0 && passed.get() > 0 ? 0 : 1);
  }

  private static boolean run(String name, Case one, String[] args) {
    long begin = System.nanoTime();
    try (var clients = new Clients(args[0], args[1])) {
      one.run(clients);
      System.out.printf("ok %s (%d ms)%n", name, (System.nanoTime() - begin) / 1_000_000);
      return true;
    } catch (Throwable fault) {
      System.out.printf("FAILED %s%n", name);
      fault.printStackTrace(System.out);
      return false;
    }
  }
}

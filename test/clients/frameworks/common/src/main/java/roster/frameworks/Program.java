package roster.frameworks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.BiFunction;

/**
 * A provider or a consumer whose parent process tells it what to do, a line each on its standard input, and is answered
 * on its standard output. Lines of the answer begin with "> ", since frameworks write there as well; the last one is
 * "> done". The process ends, as an application does that is stopped, when it is told to or when its input ends.
 *
 * <pre>
 *   program REGISTRY SERVICE provide NAME PORT    then: withdraw, provide, stop
 *   program REGISTRY SERVICE consume              then: report, stop
 * </pre>
 */
public final class Program {
  /** What consumers are told must have reached them, and their last calls been answered, before the process ends. */
  private static final long FAREWELL_MS = 1_000;

  private Program() {}

  /** {@code framework} is made with REGISTRY, a host:port, and SERVICE, which no other framework provides. */
  public static void run(String[] arguments, BiFunction<String, String, Framework> framework) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try {
      var made = framework.apply(arguments[0], arguments[1]);
      switch (arguments[2]) {
        case "provide" -> provide(made, arguments[3], Integer.parseInt(arguments[4]), input);
        case "consume" -> consume(made, input);
        default -> throw new IllegalArgumentException(arguments[2]);
      }
    } catch (Exception | LinkageError error) {
      error.printStackTrace();
      System.exit(1);
    }
    System.exit(0);
  }

  private static void provide(Framework framework, String name, int port, BufferedReader input) throws Exception {
    framework.provide(name, port);
    answer();
    for (var command = input.readLine(); command != null && !command.equals("stop"); command = input.readLine()) {
      switch (command) {
        case "withdraw" -> framework.withdraw();
        case "provide" -> framework.provide(name, port);
        default -> throw new IllegalArgumentException(command);
      }
      answer();
    }
    framework.withdraw();
    Thread.sleep(FAREWELL_MS);
  }

  private static void consume(Framework framework, BufferedReader input) throws Exception {
    var calls = new Calls(framework.consume());
    calls.start();
    answer();
    for (var command = input.readLine(); command != null && !command.equals("stop"); command = input.readLine()) {
      if (!command.equals("report")) throw new IllegalArgumentException(command);
      answer(calls.report());
    }
  }

  private static void answer(String... lines) throws IOException {
    var text = new StringBuilder();
    for (var line : lines) text.append("> ").append(line).append('\n');
    text.append("> done\n");
    System.out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }
}

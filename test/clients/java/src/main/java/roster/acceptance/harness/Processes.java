package roster.acceptance.harness;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Starts processes and sees to it that none outlives the suite, however the suite ends. */
final class Processes {
  private static final Set<Process> STARTED = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> STARTED.forEach(Process::destroyForcibly)));
  }

  private Processes() {}

  static Process start(ProcessBuilder builder) throws IOException {
    var process = builder.start();
    STARTED.add(process);
    process.onExit().thenAccept(STARTED::remove);
    return process;
  }
}

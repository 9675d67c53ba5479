package roster.acceptance.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A server process on ports and a data directory of its own, which it keeps when it is killed and started again. */
public final class Server implements Resource {
  private static final Duration EXIT_LIMIT = Duration.ofSeconds(10);
  private static final int LOG_TAIL_LINES = 12;

  private final List<String> command;
  private final Path log;
  private final int boltPort = Ports.free();
  private final int httpPort = Ports.free();
  private final int metaHttpPort = Ports.free();
  private Process process;

  Server(List<String> prefix, Path directory) throws IOException {
    var home = Files.createTempDirectory(directory, "server-");
    log = home.resolve("server.log");
    command = new ArrayList<>(prefix);
    command.addAll(List.of("--data-dir", home.resolve("data").toString(), "--bind", "127.0.0.1"));
    command.addAll(List.of("--bolt-port", "" + boltPort, "--http-port", "" + httpPort, "--eureka-port", "0"));
    command.addAll(List.of("--nacos-port", "0", "--nacos-grpc-port", "0", "--zookeeper-port", "0"));
    command.addAll(List.of("--consul-port", "0", "--dns-port", "0"));
    command.addAll(List.of("--meta-http-port", "" + metaHttpPort));
    // Any free ports: the tests ask nothing there.
    command.addAll(List.of("--data-http-port", "0", "--admin-port", "0"));
  }

  public int boltPort() {
    return boltPort;
  }

  public int httpPort() {
    return httpPort;
  }

  public int metaHttpPort() {
    return metaHttpPort;
  }

  public void start() throws IOException {
    process =
        Processes.start(
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())));
  }

  public Duration awaitAlive(Duration limit) {
    return Await.until(
        limit,
        () -> {
          Check.that(process.isAlive(), "the server ended with %d: %s", exitCode(), logTail());
          return Http.isAlive(httpPort);
        },
        () -> "the server answers on /api/servers/alive: " + logTail());
  }

  /** Alive is a session that takes clients; ready is one that knows who leads what, a little later in a cluster. */
  public void awaitReady(Duration limit) {
    Await.until(limit, () -> Http.isReady(httpPort), () -> "the server is ready: " + logTail());
  }

  public boolean isRunning() {
    return process.isAlive();
  }

  /** SIGKILL: the server can not say goodbye. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(EXIT_LIMIT);
  }

  /** SIGTERM; returns how long the server took to end. */
  public Duration terminate(Duration limit) {
    process.destroy();
    return awaitExit(limit);
  }

  /** What the server printed last, for the message of a failure. */
  public String logTail() {
    try {
      var lines = Files.readAllLines(log);
      return String.join(" | ", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    } catch (IOException error) {
      return "no log: " + error;
    }
  }

  @Override
  public void close() {
    if (process != null) {
      kill();
    }
  }

  private Duration awaitExit(Duration limit) {
    return Await.until(limit, () -> !process.isAlive(), () -> "the server process ended");
  }

  private int exitCode() {
    return process.isAlive() ? 0 : process.exitValue();
  }
}

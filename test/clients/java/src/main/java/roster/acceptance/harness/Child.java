package roster.acceptance.harness;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A Java process of its own with a real client in it, which can be killed or frozen. See {@link ChildMain}. */
public final class Child implements Resource {
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(15);

  private final Process process;
  private final PrintStream commands;
  private final List<String> lines = new CopyOnWriteArrayList<>();

  private Child(Process process) {
    this.process = process;
    commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    var reader = new Thread(this::readLines, "child");
    reader.setDaemon(true);
    reader.start();
  }

  /** Starts a client of the server at this HTTP port. {@code ahead} is put in front of the class path, if not null. */
  public static Child start(int httpPort, String ahead) throws IOException {
    var classPath = System.getProperty("java.class.path");
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    // What jvm.options holds, as this process was given it.
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", ahead == null ? classPath : ahead + File.pathSeparator + classPath));
    command.addAll(List.of(ChildMain.class.getName(), "" + httpPort));
    return new Child(Processes.start(new ProcessBuilder(command).redirectErrorStream(true)));
  }

  /** Publishes and waits for the server's acknowledgement. */
  public void publish(String dataId, String value) {
    commands.println("publish\t" + dataId + "\t" + value);
    awaitLine("published\t" + dataId + "\t" + value, ANSWER_LIMIT);
  }

  public void subscribe(String dataId) {
    commands.println("subscribe\t" + dataId);
  }

  /** Waits until the child's subscriber was last shown exactly this value. */
  public void awaitSeen(String dataId, String value) {
    awaitLine("seen\t" + dataId + "\t[" + value + "]", ANSWER_LIMIT);
  }

  /** SIGKILL. */
  public void kill() {
    process.destroyForcibly();
  }

  /** SIGSTOP: the process keeps its connections and does nothing. */
  public void freeze() throws IOException {
    signal("-STOP");
  }

  /** SIGCONT. */
  public void thaw() throws IOException {
    signal("-CONT");
  }

  @Override
  public void close() {
    kill();
  }

  private void signal(String name) throws IOException {
    var kill = Processes.start(new ProcessBuilder("kill", name, "" + process.pid()).inheritIO());
    Await.until(ANSWER_LIMIT, () -> !kill.isAlive(), () -> "kill " + name + " ended");
    Check.equal(0, kill.exitValue(), "exit code of kill " + name);
  }

  private void awaitLine(String line, Duration limit) {
    Await.until(limit, () -> lines.contains(line), () -> "the child printed \"" + line + "\"; it printed " + lines);
  }

  private void readLines() {
    try (var reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      reader.lines().forEach(lines::add);
    } catch (IOException | UncheckedIOException killed) {
      // The end of the process is the end of its output.
    }
  }
}

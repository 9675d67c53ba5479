package roster.acceptance.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What all cases share: the command that starts a server, a directory for temporary files, and one running server. */
public final class Stage implements Resource {
  private static final Duration START_LIMIT = Duration.ofSeconds(20);

  private final List<String> serverCommand;
  private final Path directory;
  private final List<String> crashes = new ArrayList<>();
  private Server shared;

  public Stage(List<String> serverCommand, Path directory) {
    this.serverCommand = List.copyOf(serverCommand);
    this.directory = directory;
  }

  /** The server that most cases use, started by the first that asks, and again should it have ended. */
  public synchronized Server shared() throws IOException {
    noticeCrash();
    if (shared == null) {
      shared = newServer();
      shared.start();
      shared.awaitAlive(START_LIMIT);
      shared.awaitReady(START_LIMIT);
    }
    return shared;
  }

  /** A server that is not started yet, on ports and a data directory of its own. */
  public Server newServer() throws IOException {
    return new Server(serverCommand, directory);
  }

  /** What the shared server printed last, each time that it ended although nobody had asked it to. */
  public synchronized List<String> crashes() {
    noticeCrash();
    return List.copyOf(crashes);
  }

  private void noticeCrash() {
    if (shared != null && !shared.isRunning()) {
      crashes.add(shared.logTail());
      shared = null;
    }
  }

  @Override
  public synchronized void close() {
    if (shared != null) {
      shared.close();
    }
  }
}

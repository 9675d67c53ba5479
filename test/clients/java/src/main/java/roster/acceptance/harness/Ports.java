package roster.acceptance.harness;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free ports, from below the range that systems give to outgoing connections. Inside that range a client that tries to
 * reach a stopped server on the loopback can be given the very port it connects to, and talk to itself.
 */
public final class Ports {
  private static final int LOWEST = 20_000;
  private static final int HIGHEST = 32_000;
  private static final int TRIES_MAX = 100;

  private Ports() {}

  public static int free() throws IOException {
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
      try (var probe = new ServerSocket()) {
        probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException taken) {
        // The next number may do.
      }
    }
    throw new IOException("no free port found in " + TRIES_MAX + " tries");
  }
}

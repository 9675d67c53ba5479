package roster.acceptance.harness;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A relay in front of a server, whose connections can be cut. The server's list of addresses is passed on with the
 * relay's own address in the place of the server's, so an unchanged client comes through here.
 */
public final class Proxy implements Resource {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final Server server;
  private final String listParameters;
  private final HttpServer list;
  private final ServerSocket relay;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();
  private volatile long acceptedNanos;
  private final Set<String> formsSent = ConcurrentHashMap.newKeySet();

  /** {@code listParameters} is added to each entry of the list, as in {@code &_PROTOCOL=2&_VERSION=2}. */
  public Proxy(Server server, String listParameters) throws IOException {
    this.server = server;
    this.listParameters = listParameters;
    relay = new ServerSocket();
    relay.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free()));
    list = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free()), 0);
    list.createContext("/api/servers/", this::answerList);
    list.start();
    background(this::accept);
  }

  public int httpPort() {
    return list.getAddress().getPort();
  }

  /** How many connections clients have made through here so far. */
  public int accepted() {
    return accepted.get();
  }

  /** When the last of them was made, as {@link System#nanoTime}. */
  public long acceptedNanos() {
    return acceptedNanos;
  }

  /** The first two bytes, in hex, of what clients sent on their connections. */
  public Set<String> formsSent() {
    return Set.copyOf(formsSent);
  }

  /** Closes all connections of the moment, on both sides. New ones are accepted. */
  public void cut() {
    open.forEach(Proxy::closeSocket);
    open.clear();
  }

  @Override
  public void close() {
    list.stop(0);
    closeSocket(relay);
    cut();
  }

  private void answerList(HttpExchange exchange) throws IOException {
    try (exchange) {
      var answer = Http.get(server.httpPort(), exchange.getRequestURI().toString());
      var own = "127.0.0.1:" + relay.getLocalPort();
      var body = answer.body().replaceAll("[^;:?]+:\\d+(\\?weight=\\d+)", own + "$1" + listParameters);
      var bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(answer.status(), bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private void accept() {
    try {
      while (true) {
        var client = relay.accept();
        acceptedNanos = System.nanoTime();
        accepted.incrementAndGet();
        join(client);
      }
    } catch (IOException closed) {
      cut();
    }
  }

  private void join(Socket client) {
    open.add(client);
    try {
      var upstream = new Socket(InetAddress.getLoopbackAddress(), server.boltPort());
      open.add(upstream);
      background(() -> copy(client, upstream, true));
      background(() -> copy(upstream, client, false));
    } catch (IOException refused) {
      closeSocket(client);
    }
  }

  private void copy(Socket from, Socket to, boolean fromClient) {
    var buffer = new byte[BUFFER_BYTES];
    try (from; to) {
      boolean first = fromClient;
      for (int count; (count = from.getInputStream().read(buffer)) >= 0; first = false) {
        if (first && count >= 2) {
          formsSent.add("%02x%02x".formatted(buffer[0], buffer[1]));
        }
        to.getOutputStream().write(buffer, 0, count);
      }
    } catch (IOException cut) {
      // One side is gone; try-with-resources takes the other along.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private static void background(Runnable work) {
    var thread = new Thread(work, "proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private static void closeSocket(Closeable socket) {
    try {
      socket.close();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}

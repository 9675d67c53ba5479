package roster.acceptance.harness;

import com.alipay.sofa.registry.client.auth.AuthManager;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;

/** What one case works with. Everything it opens here is closed when the case ends, the latest first. */
public final class Scene implements Resource {
  private final Stage stage;
  private final String caseName;
  private final Deque<Resource> opened = new ArrayDeque<>();
  private final List<Client> clients = new CopyOnWriteArrayList<>();
  private final StringBuilder notes = new StringBuilder();

  Scene(Stage stage, String caseName) {
    this.stage = stage;
    this.caseName = caseName;
  }

  /** A dataId that no other case uses. */
  public String dataId(String suffix) {
    return "accept." + caseName + "." + suffix;
  }

  /** The server that this case shares with others. */
  public Server server() throws IOException {
    return stage.shared();
  }

  /** A server for this case alone, not started yet. */
  public Server ownServer() throws IOException {
    return own(stage.newServer());
  }

  /** A client of the shared server. */
  public Client client() throws IOException {
    return clientAt(server().httpPort());
  }

  public Client client(UnaryOperator<DefaultRegistryClientConfigBuilder> settings) throws IOException {
    return add(new Client(server().httpPort(), settings, null));
  }

  /** Goes to the server's own session, whatever others there are. */
  public Client clientWith(AuthManager auth) throws IOException {
    return add(new Client(server().boltPort(), UnaryOperator.identity(), auth));
  }

  /** A client whose server list comes from this HTTP port. */
  public Client clientAt(int httpPort) {
    return add(new Client(httpPort, UnaryOperator.identity(), null));
  }

  /** Closes this with the case. */
  public synchronized <T extends Resource> T own(T resource) {
    opened.push(resource);
    return resource;
  }

  /** Adds a measured figure to the line of this case. */
  public void note(String format, Object... arguments) {
    notes.append(notes.isEmpty() ? " " : ", ").append(format.formatted(arguments));
  }

  /** What must hold for each push that any client of this case ever got. */
  void verify() {
    clients.forEach(client -> client.pushes().verify());
  }

  String notes() {
    return notes.toString();
  }

  @Override
  public void close() {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  private Client add(Client client) {
    clients.add(client);
    return own(client);
  }
}

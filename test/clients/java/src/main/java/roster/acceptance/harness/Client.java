package roster.acceptance.harness;

import com.alipay.sofa.registry.client.api.Publisher;
import com.alipay.sofa.registry.client.api.Register;
import com.alipay.sofa.registry.client.api.model.RegistryType;
import com.alipay.sofa.registry.client.api.registration.ConfiguratorRegistration;
import com.alipay.sofa.registry.client.api.registration.PublisherRegistration;
import com.alipay.sofa.registry.client.api.registration.SubscriberRegistration;
import com.alipay.sofa.registry.client.auth.AuthManager;
import com.alipay.sofa.registry.client.event.DefaultEventBus;
import com.alipay.sofa.registry.client.provider.AbstractInternalRegister;
import com.alipay.sofa.registry.client.provider.DefaultObserverHandler;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClient;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfig;
import com.alipay.sofa.registry.client.provider.DefaultRegistryClientConfigBuilder;
import com.alipay.sofa.registry.client.provider.DirectServerManager;
import com.alipay.sofa.registry.client.remoting.ClientConnection;
import com.alipay.sofa.registry.client.remoting.ServerManager;
import com.alipay.sofa.registry.client.remoting.ServerNode;
import com.alipay.sofa.registry.core.model.ReceivedData;
import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The real client (one connection each), with what a case needs around it. Two settings differ from its defaults, so
 * that what a case observes is the order in which the server pushed: one observer thread instead of five, and pushes
 * handled in the thread that read them (see {@link PushLog}).
 */
public final class Client implements Resource {
  /** Longest that a case waits for the client to have sent all it has to send. */
  public static final Duration SETTLE_LIMIT = Duration.ofSeconds(20);

  /** Given to a closed client, which knows no end and would connect again. */
  private static final ServerManager NO_SERVERS =
      new ServerManager() {
        @Override
        public List<ServerNode> getServerList() {
          return List.of();
        }

        @Override
        public ServerNode random() {
          return null;
        }
      };

  private final DefaultRegistryClient real;
  private final ClientConnection connection;
  private final PushLog pushes;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** With an {@code auth} the port is that of the one session to which it goes, else that of the server list. */
  Client(int port, UnaryOperator<DefaultRegistryClientConfigBuilder> settings, AuthManager auth) {
    DefaultRegistryClientConfig config =
        settings
            .apply(
                DefaultRegistryClientConfigBuilder.start()
                    .setAppName("acceptance")
                    .setRegistryEndpoint("127.0.0.1")
                    .setRegistryEndpointPort(port)
                    .setObserverThreadCoreSize(1)
                    .setObserverThreadMaxSize(1)
                    .setObserverThreadQueueLength(100_000))
            .build();
    real = new DefaultRegistryClient(config);
    var observers = new DefaultObserverHandler(config, new DefaultEventBus(config));
    pushes = new PushLog(real.getRegisterCache(), observers);
    real.setObserverHandler(observers);
    real.setUserProcessorMap(Map.of(ReceivedData.class, pushes));
    if (auth != null) {
      real.setAuthManager(auth);
      real.setServerManager(new DirectServerManager(config));
    }
    real.init();
    connection = connectionOf(real);
  }

  public Publisher publish(String dataId, String... data) {
    return publish(Service.of(dataId), data);
  }

  public Publisher publish(Service service, String... data) {
    return real.register(service.in(new PublisherRegistration(service.dataId())), data);
  }

  /** Subscribes in the client's default scope, the zone. */
  public Watch watch(String dataId) {
    return watch(Service.of(dataId), ScopeEnum.zone);
  }

  public Watch watch(Service service, ScopeEnum scope) {
    return watch(service, scope, seen -> {});
  }

  Watch watch(Service service, ScopeEnum scope, Consumer<Watch.Seen> listener) {
    var watch = new Watch(service.dataId(), listener);
    var registration = service.in(new SubscriberRegistration(service.dataId(), watch));
    registration.setScopeEnum(scope);
    watch.attach(real.register(registration));
    return watch;
  }

  public ConfigWatch watchConfig(String dataId) {
    var watch = new ConfigWatch(dataId);
    real.register(new ConfiguratorRegistration(dataId, watch));
    return watch;
  }

  /** Unregisters all publishers of this dataId in the default group; returns how many there were. */
  public int unpublish(String dataId) {
    return real.unregister(dataId, null, RegistryType.PUBLISHER);
  }

  /** Everything this client was pushed. */
  public PushLog pushes() {
    return pushes;
  }

  public boolean isConnected() {
    return connection.isConnected();
  }

  /** Whether the server has acknowledged the latest state of everything registered here. */
  public boolean isSettled() {
    var cache = real.getRegisterCache();
    return Stream.<Collection<? extends Register>>of(
            cache.getAllPublishers(), cache.getAllSubscribers(), cache.getAllConfigurator())
        .flatMap(Collection::stream)
        .allMatch(register -> ((AbstractInternalRegister) register).isDone());
  }

  public void awaitSettled() {
    Await.until(SETTLE_LIMIT, this::isSettled, () -> "the server acknowledged all registrations");
  }

  /** Closes the connection for good. The real client has no such method: it lives as long as its process. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      connection.setServerManager(NO_SERVERS);
      connection.destroy();
    }
  }

  private static ClientConnection connectionOf(DefaultRegistryClient real) {
    try {
      var field = DefaultRegistryClient.class.getDeclaredField("client");
      field.setAccessible(true);
      return (ClientConnection) field.get(real);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException("not the client version this suite was written for", error);
    }
  }
}

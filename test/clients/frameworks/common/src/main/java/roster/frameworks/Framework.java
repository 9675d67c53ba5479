package roster.frameworks;

import java.util.concurrent.Callable;

/** One framework in one process, as an application uses it. */
public interface Framework {
  /** Takes calls on this port of 127.0.0.1, answers them with this name, and says so in the registry. */
  void provide(String name, int port) throws Exception;

  /** Takes the provider out of the registry; {@link #provide} may follow. */
  void withdraw() throws Exception;

  /** Looks for providers in the registry. Each call of the result calls one of them and returns its name. */
  Callable<String> consume() throws Exception;
}

package roster.eureka;

import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts the requests that a client makes, by the names of the methods of its transport. */
final class Calls {
  private static final List<Class<?>> COUNTED = List.of(TransportClientFactory.class, EurekaHttpClient.class);
  private final Map<String, Integer> counts = new ConcurrentHashMap<>();

  int of(String method) {
    return counts.getOrDefault(method, 0);
  }

  /** The part of a transport, and what it makes, with every call counted. */
  <T> T counted(Class<T> type, Object part) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
      counts.merge(method.getName(), 1, Integer::sum);
      Object result;
      try {
        result = method.invoke(part, args);
      } catch (InvocationTargetException fault) {
        throw fault.getCause();
      }
      for (var known : COUNTED) if (known == method.getReturnType()) return counted(known, result);
      return result;
    }));
  }
}

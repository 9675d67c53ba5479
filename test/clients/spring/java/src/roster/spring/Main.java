package roster.spring;

import java.util.stream.Collectors;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;

/** An application that can be called, calls others by their names, and shows what it knows. */
@SpringBootApplication
public class Main {
  public static void main(String[] args) {
    SpringApplication.run(Main.class, args);
  }

  @Bean
  @LoadBalanced
  RestTemplate calls() {
    return new RestTemplate();
  }

  /** The paths of the application. */
  @RestController
  static class Paths {
    private final RestTemplate calls;
    private final DiscoveryClient discovery;
    private final Greeting greeting;

    Paths(RestTemplate calls, DiscoveryClient discovery, Greeting greeting) {
      this.calls = calls;
      this.discovery = discovery;
      this.greeting = greeting;
    }

    @GetMapping("/greeting")
    String greeting() {
      return greeting.text();
    }

    @GetMapping("/call/{service}")
    String call(@PathVariable("service") String service) {
      return calls.getForObject("http://" + service + "/greeting", String.class);
    }

    @GetMapping("/list/{service}")
    String list(@PathVariable("service") String service) {
      return discovery.getInstances(service).stream()
          .map(one -> one.getHost() + ":" + one.getPort())
          .sorted()
          .collect(Collectors.joining(" "));
    }
  }

  /** A value of the configuration, read anew when the configuration changes. */
  @Bean
  @RefreshScope
  Greeting greeting(@Value("${greeting}") String text) {
    return new Greeting(text);
  }

  /** Not final: Spring makes a class of its own from it. */
  static class Greeting {
    private final String text;

    Greeting() {
      this("");
    }

    Greeting(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }
}

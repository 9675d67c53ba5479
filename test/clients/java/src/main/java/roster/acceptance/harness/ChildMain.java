package roster.acceptance.harness;

import com.alipay.sofa.registry.core.model.ScopeEnum;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;

/**
 * The program in a {@link Child}: reads {@code publish<TAB>dataId<TAB>value} and {@code subscribe<TAB>dataId}, prints
 * {@code published<TAB>dataId<TAB>value} and {@code seen<TAB>dataId<TAB>[values]}. It ends with its input.
 */
final class ChildMain {
  private ChildMain() {}

  public static void main(String[] arguments) throws IOException {
    var client = new Client(Integer.parseInt(arguments[0]), UnaryOperator.identity(), null);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = input.readLine()) != null; ) {
      var words = line.split("\t");
      switch (words[0]) {
        case "publish" -> publish(client, words[1], words[2]);
        case "subscribe" -> subscribe(client, words[1]);
        default -> throw new IllegalArgumentException("unknown command " + line);
      }
    }
    System.exit(0);
  }

  private static void publish(Client client, String dataId, String value) {
    client.publish(dataId, value);
    client.awaitSettled();
    say("published", dataId, value);
  }

  private static void subscribe(Client client, String dataId) {
    client.watch(Service.of(dataId), ScopeEnum.zone, seen -> say("seen", dataId, seen.values().toString()));
  }

  private static synchronized void say(String... words) {
    System.out.println(String.join("\t", words));
    System.out.flush();
  }
}

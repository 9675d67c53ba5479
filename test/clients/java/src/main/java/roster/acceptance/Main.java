package roster.acceptance;

import com.alipay.remoting.rpc.RpcConfigManager;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import roster.acceptance.cases.AppCases;
import roster.acceptance.cases.BasicCases;
import roster.acceptance.cases.ConfigCases;
import roster.acceptance.cases.DataCases;
import roster.acceptance.cases.HttpCases;
import roster.acceptance.cases.IsolationCases;
import roster.acceptance.cases.LifeCases;
import roster.acceptance.cases.LoadCases;
import roster.acceptance.cases.OrderCases;
import roster.acceptance.cases.OutageCases;
import roster.acceptance.cases.ProtocolCases;
import roster.acceptance.cases.ScopeCases;
import roster.acceptance.cases.StartCases;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Stage;
import roster.acceptance.harness.Suite;

/**
 * Runs the acceptance cases: {@code Main [FILTER] -- COMMAND...}, where the command starts a server when the suite has
 * added its flags, and only the cases run whose name contains the filter, or one of several with commas between them.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    var words = Arrays.asList(arguments);
    int separator = words.indexOf("--");
    if (separator < 0 || separator > 1 || separator == words.size() - 1) {
      System.err.println("usage: Main [FILTER] -- SERVER COMMAND...");
      System.exit(2);
    }
    Check.that(
        !RpcConfigManager.dispatch_msg_list_in_default_executor(), "start this with java @jvm.options, which see");
    var filter = separator == 1 ? words.get(0) : "";
    System.exit(run(filter, words.subList(separator + 1, words.size())) ? 0 : 1);
  }

  private static boolean run(String filter, List<String> serverCommand) throws IOException, InterruptedException {
    var directory = Files.createTempDirectory("roster-java-");
    var output = System.out;
    // The client's logging, which is off, says so on standard output several times.
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    boolean passed;
    var filters = filter.split(",");
    var cases = all().stream().filter(each -> Arrays.stream(filters).anyMatch(each.name()::contains)).toList();
    try (var stage = new Stage(serverCommand, directory)) {
      passed = new Suite(stage, output).run(cases);
    }
    if (passed) {
      delete(directory);
    } else {
      output.println("logs of the servers are in " + directory);
    }
    return passed;
  }

  private static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    cases.addAll(LoadCases.all());
    cases.addAll(BasicCases.all());
    cases.addAll(DataCases.all());
    cases.addAll(ScopeCases.all());
    cases.addAll(IsolationCases.all());
    cases.addAll(OrderCases.all());
    cases.addAll(ConfigCases.all());
    cases.addAll(AppCases.all());
    cases.addAll(HttpCases.all());
    cases.addAll(ProtocolCases.all());
    cases.addAll(StartCases.all());
    cases.addAll(LifeCases.all());
    cases.addAll(OutageCases.all());
    return cases;
  }

  private static void delete(Path directory) throws IOException {
    try (var paths = Files.walk(directory)) {
      for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

package roster.acceptance;

import com.caucho.hessian.io.Hessian2Input;
import com.caucho.hessian.io.SerializerFactory;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Proves that Hessian contents which our server wrote can be read by the codec that the client brings. Reads lines
 * {@code className<TAB>hex}, decodes each as Bolt's HessianSerializer does, and prints one JSON line for each: the
 * object's fields with its class as {@code @class}, or {@code {"@error": ...}}. Exits with 1 if any failed.
 */
public final class CodecCheck {
  /** Bolt keeps one factory for all messages, so state it gathers from one message meets the next. */
  private static final SerializerFactory FACTORY = new SerializerFactory();

  private CodecCheck() {}

  public static void main(String[] arguments) throws IOException {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // The client's logging says on standard output that it is off.
    System.setOut(System.err);
    boolean failed = false;
    for (String line; (line = input.readLine()) != null; ) {
      try {
        output.println(JsonText.of(check(line)));
      } catch (IOException | RuntimeException error) {
        failed = true;
        output.println("{\"@error\":" + JsonText.of(String.valueOf(error)) + "}");
      }
    }
    System.exit(failed ? 1 : 0);
  }

  private static Object check(String line) throws IOException {
    int tab = line.indexOf('\t');
    if (tab < 0) {
      throw new IOException("not className<TAB>hex: " + line);
    }
    var expected = line.substring(0, tab);
    var decoded = decode(HexFormat.of().parseHex(line.substring(tab + 1).strip()));
    // An unknown class decodes to a map without complaint.
    if (decoded == null || !decoded.getClass().getName().equals(expected)) {
      throw new IOException("expected " + expected + ", got " + (decoded == null ? "null" : decoded.getClass()));
    }
    return decoded;
  }

  private static Object decode(byte[] content) throws IOException {
    var input = new Hessian2Input(new ByteArrayInputStream(content));
    input.setSerializerFactory(FACTORY);
    var decoded = input.readObject();
    if (!input.isEnd()) {
      throw new IOException("bytes are left after the object");
    }
    input.close();
    return decoded;
  }
}

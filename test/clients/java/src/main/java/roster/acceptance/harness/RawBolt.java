package roster.acceptance.harness;

import com.alipay.remoting.exception.CodecException;
import com.alipay.remoting.serialization.HessianSerializer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.zip.CRC32;

/** A bare connection that speaks Bolt frame by frame, for what no real client sends. */
public final class RawBolt implements AutoCloseable {
  /** The forms of a frame; the first frame of a connection decides for all of it. */
  public enum Form {
    PROTOCOL_1(1, 0),
    PROTOCOL_2(2, 1),
    PROTOCOL_2_CRC(2, 2);

    final int protocol;
    final int version;

    Form(int protocol, int version) {
      this.protocol = protocol;
      this.version = version;
    }
  }

  /** A frame as read. Of requests {@code status} is the timeout; {@code crc} tells whether a correct one ended it. */
  public record Frame(
      int protocol, int type, int command, int id, int status, String className, byte[] content, boolean crc) {
    /** The content, decoded as the client decodes it. */
    public <T> T decode(Class<T> type) throws CodecException {
      return type.cast(HESSIAN.deserialize(content, className));
    }
  }

  public static final int RESPONSE = 0;
  public static final int REQUEST = 1;
  public static final int HEARTBEAT_COMMAND = 0;
  public static final int REQUEST_COMMAND = 1;
  public static final int RESPONSE_COMMAND = 2;

  private static final HessianSerializer HESSIAN = new HessianSerializer();
  private static final int HESSIAN_CODEC = 1;
  private static final int PROTOBUF_CODEC = 11;
  private static final String PROTOBUF_PACKAGE = ".client.pb.";
  /** Where the codec stands in a frame of protocol 1. */
  private static final int CODEC_OFFSET = 9;
  private static final int TIMEOUT_MS = 3_000;
  /** None of the answers awaited here is larger. */
  private static final int CONTENT_BYTES_MAX = 1024 * 1024;

  private final Socket socket;
  private final DataInputStream input;

  public RawBolt(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MS);
    input = new DataInputStream(socket.getInputStream());
  }

  /** A request frame with this object in it. */
  public static byte[] request(Form form, int id, Object body) {
    try {
      return frame(form, REQUEST_COMMAND, id, body.getClass().getName(), HESSIAN.serialize(body));
    } catch (CodecException error) {
      throw new IllegalStateException(error);
    }
  }

  public static byte[] heartbeat(Form form, int id) {
    return frame(form, HEARTBEAT_COMMAND, id, "", new byte[0]);
  }

  /** A request of protocol 1 that says that its content is protobuf. */
  public static byte[] protobufRequest(int id, String className, byte[] content) {
    var bytes = frame(Form.PROTOCOL_1, REQUEST_COMMAND, id, className, content);
    bytes[CODEC_OFFSET] = (byte) PROTOBUF_CODEC;
    return bytes;
  }

  /** A request frame with whatever content. */
  public static byte[] frame(Form form, int command, int id, String className, byte[] content) {
    var name = className.getBytes(StandardCharsets.UTF_8);
    var bytes = new ByteArrayOutputStream();
    var output = new DataOutputStream(bytes);
    try {
      writeHead(output, form, command, id);
      output.writeShort(name.length);
      output.writeShort(0);
      output.writeInt(content.length);
      output.write(name);
      output.write(content);
      if (form == Form.PROTOCOL_2_CRC && command == REQUEST_COMMAND) {
        output.writeInt(crc(bytes.toByteArray()));
      }
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    return bytes.toByteArray();
  }

  public void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  /** Reads the next frame but for heartbeats of the server; the connection must bring one in time. */
  public Frame read() throws IOException {
    var frame = new FrameReader(input).read();
    boolean isHeartbeat = frame.type() == REQUEST && frame.command() == HEARTBEAT_COMMAND;
    return isHeartbeat ? read() : frame;
  }

  /** Waits until the server closes this connection, whatever it sends before. */
  public void awaitClosed(Duration limit) throws IOException {
    socket.setSoTimeout((int) limit.toMillis());
    try {
      while (input.read() >= 0) {
        // An error answer before the end is fine.
      }
    } catch (SocketTimeoutException open) {
      throw new AssertionError("the server did not close the connection within " + limit.toMillis() + " ms");
    } catch (SocketException reset) {
      // Closed with our bytes unread: a reset.
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private static void writeHead(DataOutputStream output, Form form, int command, int id) throws IOException {
    output.writeByte(form.protocol);
    if (form.protocol == 2) {
      output.writeByte(form.version);
    }
    output.writeByte(REQUEST);
    output.writeShort(command);
    output.writeByte(1);
    output.writeInt(id);
    output.writeByte(HESSIAN_CODEC);
    if (form.protocol == 2) {
      // The Java encoder sets the switch on version 1 too, where no CRC follows; on heartbeats it does not.
      output.writeByte(command == REQUEST_COMMAND ? 1 : 0);
    }
    output.writeInt(command == REQUEST_COMMAND ? TIMEOUT_MS : -1);
  }

  private static int crc(byte[] bytes) {
    var crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** Reads one frame and keeps its bytes, over which the CRC goes. */
  private static final class FrameReader {
    private final DataInputStream input;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();

    FrameReader(DataInputStream input) {
      this.input = input;
    }

    Frame read() throws IOException {
      int protocol = number(1);
      int version = protocol == 2 ? number(1) : 0;
      int type = number(1);
      int command = number(2);
      number(1);
      int id = number(4);
      int codec = number(1);
      int switches = protocol == 2 ? number(1) : 0;
      int status = number(type == RESPONSE ? 2 : 4);
      int classLength = number(2);
      int headerLength = number(2);
      int contentLength = number(4);
      Check.that(contentLength >= 0 && contentLength <= CONTENT_BYTES_MAX, "content of %d bytes", contentLength);
      var className = new String(take(classLength), StandardCharsets.UTF_8);
      // An answer has its request's codec; pushes have Hessian's, also those in protobuf.
      boolean isProtobufAnswer = type == RESPONSE && className.contains(PROTOBUF_PACKAGE);
      Check.equal(isProtobufAnswer ? PROTOBUF_CODEC : HESSIAN_CODEC, codec, "codec byte of a frame of the server");
      take(headerLength);
      var content = take(contentLength);
      boolean crc = version == 2 && (switches & 1) == 1 && endsWithCrc();
      return new Frame(protocol, type, command, id, status, className, content, crc);
    }

    private boolean endsWithCrc() throws IOException {
      int expected = crc(read.toByteArray());
      Check.equal(expected, number(4), "CRC of a frame of the server");
      return true;
    }

    private int number(int length) throws IOException {
      var bytes = take(length);
      return switch (length) {
        case 1 -> bytes[0] & 0xff;
        case 2 -> ByteBuffer.wrap(bytes).getShort() & 0xffff;
        default -> ByteBuffer.wrap(bytes).getInt();
      };
    }

    private byte[] take(int length) throws IOException {
      var bytes = input.readNBytes(length);
      if (bytes.length < length) {
        throw new EOFException("the server closed the connection within a frame");
      }
      read.write(bytes);
      return bytes;
    }
  }
}

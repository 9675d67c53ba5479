package roster.acceptance.cases;

import com.alipay.remoting.rpc.RpcClient;
import com.alipay.remoting.rpc.exception.InvokeServerException;
import com.alipay.remoting.rpc.exception.RpcServerException;
import com.alipay.sofa.registry.core.model.BaseRegister;
import com.alipay.sofa.registry.core.model.DataBox;
import com.alipay.sofa.registry.core.model.PublisherRegister;
import com.alipay.sofa.registry.core.model.ReceivedData;
import com.alipay.sofa.registry.core.model.RegisterResponse;
import com.alipay.sofa.registry.core.model.SubscriberRegister;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.RawBolt;
import roster.acceptance.harness.RawBolt.Form;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** Frames by hand: what the server writes byte by byte, and what it does with bytes that are no frame. */
final class WireCases {
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);
  /** As often as each kind of bad connection is tried while a real client is served. */
  private static final int BAD_CONNECTIONS = 10;
  /** How long a change may take to be seen while bad connections are being made. */
  private static final Duration SERVED_LIMIT = Duration.ofSeconds(2);

  private static final int SERVER_EXCEPTION = 2;
  private static final int DESERIALIZE_FAILED = 0x12;
  private static final String PUBLISHER_REGISTER = PublisherRegister.class.getName();

  /** Where the content length stands in a request of protocol 1. */
  private static final int CONTENT_LENGTH_OFFSET = 18;

  private WireCases() {}

  static List<Case> all() {
    return List.of(
        Case.of("protocol.unknown_class_is_an_error_of_the_server", WireCases::unknownClass),
        Case.of("protocol.error_of_a_protobuf_request_is_readable", WireCases::protobufError),
        Case.of("protocol.multi_with_another_scope_is_an_error_of_the_server", WireCases::multiScope),
        Case.of("protocol.undecodable_content_is_answered", WireCases::undecodableContent),
        Case.of("protocol.garbage_disturbs_nobody", scene -> whileServing(scene, WireCases::garbage)),
        Case.of("protocol.http_on_the_bolt_port_disturbs_nobody", scene -> whileServing(scene, WireCases::http)),
        Case.of("protocol.truncated_frame_disturbs_nobody", scene -> whileServing(scene, WireCases::truncated)),
        Case.of("protocol.content_of_2_gib_is_refused", scene -> declaredLength(scene, Integer.MAX_VALUE)),
        Case.of("protocol.content_of_negative_length_is_refused", scene -> declaredLength(scene, -1)),
        Case.of("protocol.wrong_crc_is_refused", WireCases::wrongCrc));
  }

  static void heartbeat(Scene scene, Form form) throws IOException {
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      for (int id : new int[] {1, 7, Integer.MAX_VALUE, -1}) {
        bolt.send(RawBolt.heartbeat(form, id));
        var answer = bolt.read();
        Check.equal(RawBolt.RESPONSE, answer.type(), "type");
        Check.equal(RawBolt.HEARTBEAT_COMMAND, answer.command(), "command");
        Check.equal(id, answer.id(), "id");
        Check.equal(0, answer.status(), "status");
        Check.equal(0, answer.content().length, "content length");
        Check.equal(form == Form.PROTOCOL_1 ? 1 : 2, answer.protocol(), "protocol");
      }
    }
  }

  static void pushAndAnswer(Scene scene, Form form) throws Exception {
    var client = scene.client();
    client.publish(scene.dataId("s"), "a");
    // Acknowledged is what a session has taken; what another session shows at once is what the data nodes have.
    scene.client().watch(scene.dataId("s")).awaitExactly("a");
    var register = new SubscriberRegister();
    fill(register, scene.dataId("s"));
    register.setScope("dataCenter");
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      bolt.send(RawBolt.request(form, 41, register));
      var answer = bolt.read();
      var push = bolt.read();
      if (answer.type() != RawBolt.RESPONSE) {
        // Nothing says that the answer comes before the first push.
        var other = answer;
        answer = push;
        push = other;
      }
      for (var frame : List.of(answer, push)) {
        Check.equal(form == Form.PROTOCOL_1 ? 1 : 2, frame.protocol(), "protocol of " + frame.className());
        Check.equal(form == Form.PROTOCOL_2_CRC, frame.crc(), "CRC after " + frame.className());
      }
      checkAnswer(answer, register);
      checkPush(push, register);
    }
  }

  private static void checkAnswer(RawBolt.Frame answer, BaseRegister register) throws Exception {
    Check.equal(41, answer.id(), "id of the answer");
    Check.equal(RawBolt.RESPONSE_COMMAND, answer.command(), "command of the answer");
    Check.equal(0, answer.status(), "status of the answer");
    var response = answer.decode(RegisterResponse.class);
    Check.that(response.isSuccess() && !response.isRefused(), "answer is %s", response);
    Check.equal(register.getVersion(), response.getVersion(), "version echoed");
    Check.equal(register.getRegistId(), response.getRegistId(), "registId echoed");
  }

  private static void checkPush(RawBolt.Frame push, BaseRegister register) throws Exception {
    Check.equal(RawBolt.REQUEST, push.type(), "type of the push");
    Check.equal(RawBolt.REQUEST_COMMAND, push.command(), "command of the push");
    var data = push.decode(ReceivedData.class);
    Check.equal(register.getDataId(), data.getDataId(), "dataId pushed");
    Check.equal("DEFAULT_GROUP", data.getGroup(), "group pushed");
    Check.equal("DEFAULT_INSTANCE_ID", data.getInstanceId(), "instanceId pushed");
    Check.equal("DefaultDataCenter", data.getSegment(), "segment pushed");
    Check.equal("dataCenter", data.getScope(), "scope pushed");
    Check.equal(List.of(register.getRegistId()), data.getSubscriberRegistIds(), "registIds pushed");
    Check.equal("a", data.getData().get(Watch.ZONE).get(0).getData(), "value pushed");
    Check.that(data.getVersion() > 1, "version %d pushed", data.getVersion());
  }

  private static void unknownClass(Scene scene) throws Exception {
    var client = new RpcClient();
    client.startup();
    try {
      client.invokeSync("127.0.0.1:" + scene.server().boltPort(), new Unknown(), 3_000);
      throw new AssertionError("a request of an unknown class was answered as if it were known");
    } catch (InvokeServerException expected) {
      Check.that(
          String.valueOf(expected.getCause()).contains(Unknown.class.getName()),
          "the cause does not name the class: %s",
          expected.getCause());
    } finally {
      client.shutdown();
    }
  }

  /** Bolt's own errors are written in Hessian, and say so: whoever sent protobuf finds the exception by its codec. */
  private static void protobufError(Scene scene) throws Exception {
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      bolt.send(RawBolt.protobufRequest(8, Unknown.class.getName(), new byte[0]));
      // The reader of frames takes no codec but Hessian's.
      checkServerException(bolt.read(), 8, Unknown.class.getName());
    }
  }

  private static void multiScope(Scene scene) throws Exception {
    var register = new SubscriberRegister();
    fill(register, scene.dataId("s"));
    register.setScope("dataCenter");
    register.setAcceptMulti(true);
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      bolt.send(RawBolt.request(Form.PROTOCOL_1, 9, register));
      checkServerException(bolt.read(), 9, "java.lang.RuntimeException: scope=dataCenter is not equals global");
    }
  }

  private static void checkServerException(RawBolt.Frame answer, int id, String text) throws Exception {
    Check.equal(id, answer.id(), "id");
    Check.equal(SERVER_EXCEPTION, answer.status(), "status");
    var message = answer.decode(RpcServerException.class).getMessage();
    Check.that(message.contains(text), "the exception says: %s", message);
  }

  private static void undecodableContent(Scene scene) throws Exception {
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      var content = new byte[] {0x4f, (byte) 0xc8, 0x35, 0x01, 0x02};
      bolt.send(RawBolt.frame(Form.PROTOCOL_1, RawBolt.REQUEST_COMMAND, 5, PUBLISHER_REGISTER, content));
      var answer = bolt.read();
      Check.equal(5, answer.id(), "id");
      Check.equal(DESERIALIZE_FAILED, answer.status(), "status");
      bolt.send(RawBolt.heartbeat(Form.PROTOCOL_1, 6));
      Check.equal(6, bolt.read().id(), "id of the heartbeat's answer afterwards");
    }
  }

  /** Opens bad connections while a publisher and a subscriber go on, which must not notice. */
  private static void whileServing(Scene scene, BadConnection bad) throws Exception {
    var watch = scene.client().watch(scene.dataId("s"));
    var publisher = scene.client().publish(scene.dataId("s"), "start");
    watch.awaitExactly("start");
    for (int round = 0; round < BAD_CONNECTIONS; round++) {
      var value = "round-" + round;
      bad.open(scene.server().boltPort());
      publisher.republish(value);
      watch.await(SERVED_LIMIT, value, seen -> seen.values().equals(List.of(value)));
    }
    Check.that(watch.calls().stream().skip(1).noneMatch(seen -> seen.values().isEmpty()), "the list was empty once");
  }

  private static void garbage(int port) throws IOException {
    var bytes = new byte[512];
    new Random(port).nextBytes(bytes);
    // Neither of the two protocol codes, so that the very first byte is wrong.
    bytes[0] = (byte) 0xee;
    sendAndAwaitClosed(port, bytes);
  }

  private static void http(int port) throws IOException {
    sendAndAwaitClosed(port, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static void truncated(int port) throws IOException {
    var whole = RawBolt.request(Form.PROTOCOL_1, 1, new Unknown());
    for (int length : new int[] {1, 10, whole.length - 1}) {
      try (var bolt = new RawBolt(port)) {
        bolt.send(Arrays.copyOf(whole, length));
      }
    }
  }

  private static void declaredLength(Scene scene, int contentLength) throws Exception {
    var frame = RawBolt.request(Form.PROTOCOL_1, 1, new Unknown());
    ByteBuffer.wrap(frame).putInt(CONTENT_LENGTH_OFFSET, contentLength);
    whileServing(scene, port -> sendAndAwaitClosed(port, frame));
  }

  private static void wrongCrc(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var register = new PublisherRegister();
    fill(register, service);
    register.setDataList(List.of(new DataBox("damaged")));
    var frame = RawBolt.request(Form.PROTOCOL_2_CRC, 1, register);
    frame[frame.length - 1] ^= 1;
    whileServing(scene, port -> sendAndAwaitClosed(port, frame));
    var watch = scene.client().watch(service);
    watch.awaitExactly("round-" + (BAD_CONNECTIONS - 1));
  }

  private static void sendAndAwaitClosed(int port, byte[] bytes) throws IOException {
    try (var bolt = new RawBolt(port)) {
      bolt.send(bytes);
      bolt.awaitClosed(CLOSE_LIMIT);
    }
  }

  private static void fill(BaseRegister register, String dataId) {
    register.setDataId(dataId);
    register.setGroup("DEFAULT_GROUP");
    register.setZone(Watch.ZONE);
    register.setAppName("acceptance");
    register.setRegistId(UUID.randomUUID().toString());
    register.setEventType("REGISTER");
    register.setVersion(1L);
    register.setTimestamp(System.currentTimeMillis());
  }

  @FunctionalInterface
  private interface BadConnection {
    void open(int port) throws Exception;
  }

  /** A request that no registry knows. */
  private static final class Unknown implements Serializable {
    private static final long serialVersionUID = 1L;
  }
}

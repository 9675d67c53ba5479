package roster.acceptance.cases;

import com.alipay.sofa.registry.client.auth.AuthManager;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import roster.acceptance.harness.Await;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Client;
import roster.acceptance.harness.RawBolt;
import roster.acceptance.harness.Scene;

/**
 * Applications that register revisions. The client has no message for that, so the revisions travel as Google's protobuf
 * writes them; the instances are published by the client itself.
 */
public final class AppCases {
  private static final String PB = "com.alipay.sofa.registry.common.model.client.pb.";
  /** Longer than the client takes to try again twice. */
  private static final Duration REFUSED = Duration.ofMillis(1_500);

  private AppCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("applications.an_instance_is_pushed_only_with_its_revision", AppCases::onlyWithRevision),
        Case.of("applications.a_revision_is_read_as_it_was_registered", AppCases::asRegistered));
  }

  private static void onlyWithRevision(Scene scene) throws Exception {
    AuthManager ofApplication = register -> Map.of("!PublisherType", "APP_PUBLISHER");
    var revision = scene.dataId("revision");
    var box = "{\"url\":\"10.0.0.1:12200\",\"revision\":\"" + revision + "\"}";
    var watch = scene.client().watch(scene.dataId("app"));
    watch.awaitNothing();
    var publisher = scene.clientWith(ofApplication);
    publisher.publish(scene.dataId("app"), box);
    Await.pass(REFUSED);
    Check.equal(List.of(), watch.latest().values(), "instances without their revision");
    Check.that(!publisher.isSettled(), "the publication is refused");
    register(scene, revision);
    watch.awaitExactly(box);
    Await.until(Client.SETTLE_LIMIT, publisher::isSettled, () -> "the publication is not acknowledged");
  }

  private static void asRegistered(Scene scene) throws Exception {
    var revision = scene.dataId("revision");
    register(scene, revision);
    var request = message("Names").toBuilder();
    request.addRepeatedField(request.getDescriptorForType().findFieldByNumber(1), revision);
    var answer = ask(scene, "GetRevisionsRequest", request.build(), "GetRevisionsResponse");
    Check.equal(200, answer.getField(answer.getDescriptorForType().findFieldByName("statusCode")), "status");
    var entry = (DynamicMessage) answer.getRepeatedField(answer.getDescriptorForType().findFieldByNumber(1), 0);
    Check.equal(revision, entry.getField(entry.getDescriptorForType().findFieldByNumber(1)), "name");
    var found = entry.getField(entry.getDescriptorForType().findFieldByNumber(2));
    Check.equal(metaRegister(revision).toByteString(), ((DynamicMessage) found).toByteString(), "revision");
  }

  private static void register(Scene scene, String revision) throws Exception {
    var answer = ask(scene, "MetaRegister", metaRegister(revision), "RegisterResponsePb");
    Check.equal(true, answer.getField(answer.getDescriptorForType().findFieldByName("success")), "success");
  }

  private static DynamicMessage metaRegister(String revision) {
    var builder = message("MetaRegister").toBuilder();
    var type = builder.getDescriptorForType();
    builder.setField(type.findFieldByName("application"), "shop");
    builder.setField(type.findFieldByName("revision"), revision);
    builder.setField(type.findFieldByName("clientVersion"), "漢字 1.0");
    return builder.build();
  }

  private static DynamicMessage ask(Scene scene, String className, DynamicMessage request, String answer)
      throws Exception {
    try (var bolt = new RawBolt(scene.server().boltPort())) {
      bolt.send(RawBolt.protobufRequest(1, PB + className, request.toByteArray()));
      var frame = bolt.read();
      Check.equal(0, frame.status(), "status");
      Check.equal(PB + answer, frame.className(), "class");
      return DynamicMessage.parseFrom(message(answer).getDescriptorForType(), frame.content());
    }
  }

  private static DynamicMessage message(String name) throws IllegalStateException {
    return DynamicMessage.getDefaultInstance(FILE.findMessageTypeByName(name));
  }

  private static final FileDescriptor FILE = describe();

  /** The messages, by the fields that these cases need. A map is a list of entries on the wire. */
  private static FileDescriptor describe() {
    var file = FileDescriptorProto.newBuilder().setName("apps.proto").setSyntax("proto3");
    file.addMessageTypeBuilder()
        .setName("MetaRegister")
        .addField(field("application", 1, Type.TYPE_STRING))
        .addField(field("revision", 2, Type.TYPE_STRING))
        .addField(field("clientVersion", 3, Type.TYPE_STRING));
    file.addMessageTypeBuilder()
        .setName("Names")
        .addField(field("names", 1, Type.TYPE_STRING).setLabel(Label.LABEL_REPEATED));
    file.addMessageTypeBuilder()
        .setName("Entry")
        .addField(field("key", 1, Type.TYPE_STRING))
        .addField(field("value", 2, Type.TYPE_MESSAGE).setTypeName(".MetaRegister"));
    file.addMessageTypeBuilder()
        .setName("GetRevisionsResponse")
        .addField(field("revisions", 1, Type.TYPE_MESSAGE).setTypeName(".Entry").setLabel(Label.LABEL_REPEATED))
        .addField(field("statusCode", 2, Type.TYPE_INT32));
    file.addMessageTypeBuilder()
        .setName("RegisterResponsePb")
        .addField(field("success", 1, Type.TYPE_BOOL))
        .addField(field("message", 5, Type.TYPE_STRING));
    try {
      return FileDescriptor.buildFrom(file.build(), new FileDescriptor[0]);
    } catch (com.google.protobuf.Descriptors.DescriptorValidationException error) {
      throw new IllegalStateException(error);
    }
  }

  private static FieldDescriptorProto.Builder field(String name, int number, Type type) {
    return FieldDescriptorProto.newBuilder()
        .setName(name)
        .setNumber(number)
        .setType(type)
        .setLabel(Label.LABEL_OPTIONAL);
  }
}

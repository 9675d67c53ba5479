package roster.acceptance.cases;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import roster.acceptance.harness.Case;
import roster.acceptance.harness.Check;
import roster.acceptance.harness.Scene;
import roster.acceptance.harness.Watch;

/** Whatever a publisher says arrives unchanged. */
public final class DataCases {
  private static final String MIXED =
      "ascii é ß 漢字 한글 עברית 😀 𝒳 👩‍👩‍👧 \uFFFD \u0000 \t\n\u007f {}[]\"\\ end";

  /** Hessian writes longer strings in chunks of this many UTF-16 units. */
  private static final int CHUNK = 32_768;

  private static final Duration LARGE_LIMIT = Duration.ofSeconds(10);

  private DataCases() {}

  public static List<Case> all() {
    return List.of(
        Case.of("data.ten_boxes_keep_their_order", DataCases::tenBoxes),
        Case.of("data.duplicate_values_are_kept", scene -> roundTrip(scene, "same", "same", "other", "same")),
        Case.of("data.no_box_shows_as_an_empty_list", DataCases::noBox),
        Case.of("data.republish_without_boxes_empties", DataCases::republishWithoutBoxes),
        Case.of("data.empty_string", scene -> roundTrip(scene, "")),
        Case.of("data.unicode_payload", scene -> roundTrip(scene, MIXED, "😀", "\uD834\uDD1E")),
        Case.of("data.unicode_data_id", DataCases::unicodeDataId),
        Case.of("data.long_data_id", DataCases::longDataId),
        Case.of("data.astral_character_at_a_chunk_boundary", DataCases::chunkBoundary),
        Case.of("data.string_length_boundaries", DataCases::lengthBoundaries),
        Case.of("data.large_64_kib", scene -> large(scene, 64)),
        Case.of("data.large_1_mib", scene -> large(scene, 1024)),
        Case.of("data.large_4_mib", scene -> large(scene, 4096)));
  }

  private static void tenBoxes(Scene scene) throws Exception {
    // Descending, so that neither sorting nor a set would bring the same order about.
    roundTrip(scene, IntStream.range(0, 10).mapToObj(index -> "box-" + (9 - index)).toArray(String[]::new));
  }

  private static void noBox(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    scene.client().publish(service);
    watch.awaitZones(Map.of(Watch.ZONE, List.of()));
  }

  private static void republishWithoutBoxes(Scene scene) throws Exception {
    var service = scene.dataId("s");
    var watch = scene.client().watch(service);
    var publisher = scene.client().publish(service, "a");
    watch.awaitExactly("a");
    publisher.republish();
    watch.awaitZones(Map.of(Watch.ZONE, List.of()));
  }

  private static void unicodeDataId(Scene scene) throws Exception {
    var service = scene.dataId("服务.ñ.サービス.😀");
    var watch = scene.client().watch(service);
    scene.client().publish(service, MIXED);
    watch.awaitExactly(MIXED);
  }

  private static void longDataId(Scene scene) throws Exception {
    var service = scene.dataId("x".repeat(500));
    var watch = scene.client().watch(service);
    scene.client().publish(service, "a");
    watch.awaitExactly("a");
  }

  private static void chunkBoundary(Scene scene) throws Exception {
    // The two units of the character before, across and after the boundary, at the first and the second chunk.
    for (int units : new int[] {CHUNK - 2, CHUNK - 1, CHUNK, 2 * CHUNK - 2, 2 * CHUNK - 1, 2 * CHUNK}) {
      roundTrip(scene, "a".repeat(units) + "😀" + "漢".repeat(50));
    }
  }

  private static void lengthBoundaries(Scene scene) throws Exception {
    // Where Hessian's short, long and chunked strings and their length bytes change over.
    int[] lengths = {0, 1, 31, 32, 255, 256, 1023, 1024, CHUNK - 1, CHUNK, CHUNK + 1, 65_535, 65_536};
    roundTrip(scene, IntStream.of(lengths).mapToObj("é"::repeat).toArray(String[]::new));
  }

  private static void large(Scene scene, int kib) throws Exception {
    var service = scene.dataId("s");
    var value = "0123456789abcdef".repeat(kib * 64);
    var watch = scene.client().watch(service);
    watch.awaitFirst();
    scene.client().publish(service, value);
    var took = watch.await(LARGE_LIMIT, value, seen -> seen.values().equals(List.of(value)));
    scene.note("delivered after %d ms", took.toMillis());
  }

  private static void roundTrip(Scene scene, String... data) throws Exception {
    var service = scene.dataId("s" + data[0].length());
    var watch = scene.client().watch(service);
    scene.client().publish(service, data);
    watch.await(LARGE_LIMIT, "what was published", seen -> seen.values().equals(List.of(data)));
    Check.equal(Map.of(Watch.ZONE, List.of(data)), watch.latest().zones(), "zones");
  }
}

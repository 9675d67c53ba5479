package roster.acceptance;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A decoded message as JSON: a long as a string, since JSON readers round it; bytes as hex. */
final class JsonText {
  private JsonText() {}

  static String of(Object value) {
    if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Double) {
      return String.valueOf(value);
    }
    if (value instanceof String || value instanceof Long || value instanceof Enum) {
      return quote(value.toString());
    }
    if (value instanceof byte[] bytes) {
      return quote(HexFormat.of().formatHex(bytes));
    }
    if (value instanceof Collection<?> list) {
      return list.stream().map(JsonText::of).collect(Collectors.joining(",", "[", "]"));
    }
    if (value instanceof Map<?, ?> map) {
      return members(map);
    }
    return members(value instanceof Throwable error ? ofThrowable(error) : fields(value));
  }

  private static String members(Map<?, ?> map) {
    return map.entrySet().stream()
        .map(entry -> quote(String.valueOf(entry.getKey())) + ":" + of(entry.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }

  /** Java does not open the fields of its own exceptions, and their causes point at themselves. */
  private static Map<String, Object> ofThrowable(Throwable error) {
    return Map.of("@class", error.getClass().getName(), "detailMessage", String.valueOf(error.getMessage()));
  }

  private static Map<String, Object> fields(Object value) {
    Map<String, Object> fields = new TreeMap<>(Map.of("@class", value.getClass().getName()));
    for (Class<?> type = value.getClass(); type != Object.class; type = type.getSuperclass()) {
      for (var field : type.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers())) {
          fields.put(field.getName(), read(field, value));
        }
      }
    }
    return fields;
  }

  private static Object read(Field field, Object value) {
    try {
      field.setAccessible(true);
      return field.get(value);
    } catch (IllegalAccessException error) {
      throw new IllegalStateException(error);
    }
  }

  private static String quote(String text) {
    var json = new StringBuilder("\"");
    text.chars()
        .forEach(
            unit -> {
              if (unit == '"' || unit == '\\') {
                json.append('\\').append((char) unit);
              } else if (unit < 0x20 || Character.isSurrogate((char) unit)) {
                json.append("\\u%04x".formatted(unit));
              } else {
                json.append((char) unit);
              }
            });
    return json.append('"').toString();
  }
}

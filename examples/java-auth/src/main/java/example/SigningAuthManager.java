package example;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.alipay.sofa.registry.client.auth.AuthManager;
import com.alipay.sofa.registry.core.model.BaseRegister;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signs each registration with a client key of Roster ({@code roster key create}). */
public final class SigningAuthManager implements AuthManager {
  private static final String ALGORITHM = "HmacSHA256";

  private final String accessKey;
  private final SecretKeySpec secret;

  public SigningAuthManager(String accessKey, String secret) {
    this.accessKey = accessKey;
    this.secret = new SecretKeySpec(secret.getBytes(UTF_8), ALGORITHM);
  }

  @Override
  public Map<String, String> getAuthContent(BaseRegister register) {
    // Of now, and not of the registration: it is sent again after each loss of the connection.
    String timestamp = Long.toString(System.currentTimeMillis());
    String text =
        String.join(
            "\n",
            accessKey,
            timestamp,
            register.getDataId(),
            orElse(register.getInstanceId(), "DEFAULT_INSTANCE_ID"),
            orElse(register.getGroup(), "DEFAULT_GROUP"),
            register.getRegistId());
    return Map.of(
        "!AccessKey", accessKey,
        "!Timestamp", timestamp,
        "!Algorithm", ALGORITHM,
        "!Signature", signatureOf(text));
  }

  private static String orElse(String value, String otherwise) {
    return value == null || value.isEmpty() ? otherwise : value;
  }

  private String signatureOf(String text) {
    try {
      // A Mac is not for several threads.
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(secret);
      return Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has " + ALGORITHM, e);
    }
  }
}

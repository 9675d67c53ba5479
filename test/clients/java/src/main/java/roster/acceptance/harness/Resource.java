package roster.acceptance.harness;

/** Something a case opens and that closes without failing. */
public interface Resource extends AutoCloseable {
  @Override
  void close();
}

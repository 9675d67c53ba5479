import type { HttpSender, SentOutcome, SentRequest } from "../base/httpSender.ts";

/** Sends a request. Connections are kept for the next one to the same server. */
export const sendHttp: HttpSender = (request, done) => {
  void exchanged(request).then(done);
};

async function exchanged(request: SentRequest): Promise<SentOutcome> {
  const { url, method, headers, body, timeoutMs, answerBytesMax } = request;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > answerBytesMax) return { failure: `the answer has more than ${answerBytesMax} bytes` };
    }
    return { status: response.status, body: Buffer.concat(chunks) };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message, cause } = error;
  if (name === "TimeoutError") return "no answer in time";
  if (cause instanceof AggregateError) return cause.errors.map(String).join(", ");
  return cause instanceof Error ? cause.message : message;
}

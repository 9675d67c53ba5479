// What every role's HTTP port has: is it alive, is it ready, what does it count, and "stop in order, please".

import type { FastifyInstance, FastifyReply } from "fastify";
import type { MetricsPage } from "../metrics.ts";

export interface Ops {
  readonly page: MetricsPage;
  /** The process has been told to stop. */
  readonly isStopping: () => boolean;
  /** Begins an orderly stop of the process. */
  readonly stop: () => void;
}

/** `notReady` says why the role does not do its work yet, or any more; nothing if it does. */
export function addOpsRoutes(app: FastifyInstance, ops: Ops, notReady: () => string | undefined): void {
  app.get("/livez", async (_request, reply) => text(reply, "ok"));
  app.get("/readyz", async (_request, reply) => {
    const reason = ops.isStopping() ? "stopping" : notReady();
    return text(reply.code(reason === undefined ? 200 : 503), reason ?? "ok");
  });
  app.get("/metrics", async (_request, reply) => {
    void reply.type(ops.page.contentType);
    return ops.page.render();
  });
  app.post("/drain", async (_request, reply) => {
    ops.stop();
    void reply.code(202);
    return { success: true, message: "the process hands its work over and ends" };
  });
}

/** SOFARegistry's form of a health check: 200 or 500, and 503 while the process stops. */
export function health(reply: FastifyReply, ops: Ops, { isReady, message }: { isReady: boolean; message: string }) {
  const isStopping = ops.isStopping();
  if (isStopping) void reply.code(503);
  else void reply.code(isReady ? 200 : 500);
  return { success: isReady && !isStopping, message: isStopping ? `${message}, stopping` : message };
}

export function text(reply: FastifyReply, body: string): FastifyReply {
  return reply.type("text/plain").send(body);
}

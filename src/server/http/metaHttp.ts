// The HTTP port of the meta role: configuration that clients watch ("persistent data"), in SOFARegistry's paths and
// shapes.

import type { FastifyInstance } from "fastify";
import { fail } from "../../base/errors.ts";
import type { ConfigValue } from "../../messages/membership.ts";
import { makeDataInfoId, parseDataInfoId, readDataInfoId } from "../../model/dataInfoId.ts";
import type { DataInfoId } from "../../model/ids.ts";
import { createHttp, KEY_QUERY } from "./listen.ts";

/** What the routes ask of the meta role. */
export interface MetaStatus {
  readonly config: (dataInfoId: DataInfoId) => ConfigValue | undefined;
  /** Stores a value, or removes it with null. Rejects with STORE_UNAVAILABLE. */
  readonly putConfig: (dataInfoId: DataInfoId, data: string | null) => Promise<void>;
  readonly isReady: () => boolean;
}

const KEY_FIELDS = {
  dataId: { type: "string" },
  group: { type: "string", default: "" },
  instanceId: { type: "string", default: "" },
} as const;
const PUT_BODY = {
  type: "object",
  required: ["dataId", "data"],
  // `version` is SOFARegistry's field; Roster gives versions itself, since they must only grow.
  properties: { ...KEY_FIELDS, data: { type: "string" }, version: {} },
} as const;
const REMOVE_BODY = {
  type: "object",
  required: ["dataId"],
  properties: { ...KEY_FIELDS, data: {}, version: {} },
} as const;

interface KeyBody {
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string;
}

export function metaHttp(status: MetaStatus): FastifyInstance {
  const app = createHttp();
  app.get<{ Querystring: { dataInfoId?: string } }>("/persistentData/query", { schema: KEY_QUERY }, async (request) => {
    const value = status.config(readDataInfoId(request.query.dataInfoId ?? ""));
    return { success: true, message: null, data: value === undefined || value.data === null ? null : shown(value) };
  });
  app.post<{ Body: KeyBody & { data: string } }>(
    "/persistentData/put",
    { schema: { body: PUT_BODY } },
    async (request) => {
      await status.putConfig(makeDataInfoId(request.body), request.body.data);
      return { success: true, message: null };
    },
  );
  app.post<{ Body: KeyBody }>("/persistentData/remove", { schema: { body: REMOVE_BODY } }, async (request) => {
    const dataInfoId = makeDataInfoId(request.body);
    if ((status.config(dataInfoId)?.data ?? null) === null)
      throw fail("FIELD_INVALID", { dataInfoId, expected: "a value that is set" });
    await status.putConfig(dataInfoId, null);
    return { success: true, message: null };
  });
  app.get("/health/check", async (_request, reply) => {
    void reply.code(status.isReady() ? 200 : 500);
    return {
      success: status.isReady(),
      message: `MetaServerBoot httpServerStart:true, role:leader, warmuped:${status.isReady()}`,
    };
  });
  return app;
}

/** SOFARegistry's shape; the version as text, since it is larger than a JavaScript number holds. */
function shown(value: ConfigValue): object {
  return { ...parseDataInfoId(value.dataInfoId), version: String(value.version), data: value.data };
}

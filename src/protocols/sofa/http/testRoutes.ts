// SOFARegistry's test paths of a data node: publishers that no client makes, and removals that no client asks for. They
// are off unless `sofa-test-api` is set. Nothing of it stays: an added publisher is kept by a lease without heartbeats,
// which the data nodes end whatever happens to this one; a removed publisher whose client is connected comes back when
// its session compares what it has, within digest-interval-ms.

import { fail, RegistryError } from "../../../base/errors.ts";
import type { HttpResponse, HttpRoute } from "../../../base/http.ts";
import { textOf } from "../../../base/text.ts";
import { clientId } from "../../../model/ids.ts";
import { packBoxes } from "../../../model/payload.ts";
import { LEASE_KEEPER, type Publication } from "../../../model/publication.ts";
import { checkedKeyPart } from "../../../model/serviceKey.ts";
import type { DataNodeView, DatumView } from "../../kit/gateway.ts";
import type { SofaDataConfig } from "../environment.ts";
import { common } from "./answers.ts";
import { type DatumNode, type DatumParam, isOwn, serviceIn, textOfDatum } from "./datumRoutes.ts";

/** The view of the node that the paths need. */
export type TestNode = DatumNode & Pick<DataNodeView, "nowMs" | "leads" | "putPublication" | "removePublication">;

/** An added publisher is in the lists for this time. In SOFARegistry it is the lease of a session that is gone. */
const LASTS_MS = 30_000;
/** The attribute of an added publisher. */
const ADDED = "sofa-test-api";

const TEXT = { type: ["string", "null"] } as const;
const NUMBER = { type: ["integer", "null"], minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const PUBLISHER_PARAM = {
  type: "object",
  additionalProperties: false,
  properties: {
    dataCenter: TEXT,
    dataInfoId: TEXT,
    publisherDataBox: TEXT,
    publisherCell: TEXT,
    publisherConnectId: TEXT,
    publisherRegisterId: TEXT,
    publisherVersion: NUMBER,
    publisherRegisterTimestamp: NUMBER,
  },
} as const;

interface PublisherParam extends DatumParam {
  readonly publisherDataBox?: string | null;
  readonly publisherCell?: string | null;
  readonly publisherConnectId?: string | null;
  readonly publisherRegisterId?: string | null;
  readonly publisherVersion?: number | null;
  readonly publisherRegisterTimestamp?: number | null;
}

export function testRoutes(node: TestNode, { sofaTestApi }: SofaDataConfig): readonly HttpRoute[] {
  const route = (path: string, change: (datum: DatumView, param: PublisherParam) => void): HttpRoute => ({
    method: "POST",
    path: `/datum/api/${path}`,
    schema: { body: PUBLISHER_PARAM },
    handle: ({ body, respond }) => {
      if (!sofaTestApi) return respond(common("This api is disabled", false));
      respond(changed(node, (body ?? {}) as PublisherParam, change));
    },
  });
  return [
    route("delete", (datum) => {
      for (const publication of [...datum.publications()]) node.removePublication(publication);
    }),
    route("pub/add", (datum, param) => node.putPublication(addedTo(datum, param, node.nowMs()))),
    route("pub/delete", (datum, param) => {
      const registId = given(param, "publisherRegisterId");
      const found = [...datum.publications()].find((one) => one.registId === registId);
      if (found === undefined) {
        throw fail("FIELD_INVALID", { field: "publisherRegisterId", value: registId, expected: "one of the service" });
      }
      node.removePublication(found);
    }),
  ];
}

/** Changes the service, and says what it is then. A fault is told as SOFARegistry does. */
function changed(
  node: TestNode,
  param: PublisherParam,
  change: (datum: DatumView, param: PublisherParam) => void,
): HttpResponse {
  try {
    const service = serviceIn(param.dataInfoId);
    const datum = isOwn(node, param.dataCenter) ? node.datum(service) : undefined;
    if (datum !== undefined) {
      if (!node.leads(service)) return common("another data node leads the slot of this service", false);
      change(datum, param);
    }
    return textOfDatum(node, param);
  } catch (error) {
    if (error instanceof RegistryError) return common(error.message, false);
    throw error;
  }
}

/** Throws FIELD_INVALID. */
function addedTo(datum: DatumView, param: PublisherParam, nowMs: number): Publication {
  const registId = checkedKeyPart("publisherRegisterId", given(param, "publisherRegisterId"));
  const zone = checkedKeyPart("publisherCell", given(param, "publisherCell"));
  const box = given(param, "publisherDataBox");
  const known = [...datum.publications()].find((one) => one.registId === registId);
  if (known !== undefined && !known.attributes.has(ADDED)) {
    const expected = "one that no client has: its client would lose it";
    throw fail("FIELD_INVALID", { field: "publisherRegisterId", value: registId, expected });
  }
  return {
    serviceKey: datum.serviceKey,
    registId,
    version: BigInt(param.publisherVersion ?? 0),
    registeredMs: param.publisherRegisterTimestamp ?? Math.floor(nowMs),
    owner: { session: LEASE_KEEPER, client: connectionOf(datum, param) },
    zone,
    appName: "",
    attributes: new Map([[ADDED, "true"]]),
    payload: packBoxes([textOf(box)]),
    lease: { removedAfterMs: LASTS_MS },
  };
}

const END = /^(\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}$/;

/** The connection that the publisher is said to have: the given one, or that of the service's first publisher. */
function connectionOf(datum: DatumView, { publisherConnectId: id }: PublisherParam): Publication["owner"]["client"] {
  if (id === undefined || id === null || id === "") {
    for (const { owner } of datum.publications()) return owner.client;
    throw fail("FIELD_INVALID", { field: "publisherConnectId", value: "", expected: EXPECTED_ID });
  }
  const ends = id.split("_");
  if (ends.length === 2 && ends.every((end) => END.test(end))) return clientId(id);
  throw fail("FIELD_INVALID", { field: "publisherConnectId", value: id, expected: EXPECTED_ID });
}

const EXPECTED_ID = "clientIp:clientPort_sessionIp:sessionPort";

/** Throws FIELD_INVALID if it is missing. */
function given(param: PublisherParam, field: "publisherRegisterId" | "publisherCell" | "publisherDataBox"): string {
  const { [field]: value } = param;
  if (typeof value === "string") return value;
  throw fail("FIELD_INVALID", { field, value: "", expected: "a text" });
}

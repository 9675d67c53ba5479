// User events: short messages of clients to those who look for them. They are kept by this node, for a while.

import { type HttpExchange, textResponse } from "../../../base/http.ts";
import type { Secrets } from "../../../base/ports.ts";
import type { Caller, JudgedRoute } from "../../kit/judgedRoutes.ts";
import { toBase64 } from "../base64.ts";
import { refusingIn } from "../errors.ts";
import { newId } from "../newId.ts";
import { FIRST_INDEX } from "../topics.ts";
import { valueKeyOf } from "./kvRoutes.ts";
import { checkOptions, type RouteParts, rowsResponse, valuesOf } from "./parts.ts";

interface UserEvent {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: string | null;
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  readonly LTime: number;
}

// As many as an agent keeps.
const EVENTS_MAX = 256;
const PAYLOAD_BYTES_MAX = 512;
const TOPIC = "events";

export function eventRoutes({
  blocking,
  nowMs,
  datacenter,
  secrets,
}: Pick<RouteParts, "blocking" | "nowMs" | "datacenter"> & {
  readonly secrets: Pick<Secrets, "random">;
}): JudgedRoute[] {
  const events: UserEvent[] = [];
  let count = 0;
  return [
    {
      ...{ method: "PUT", path: "/v1/event/fire/:name", asks: "store" },
      of: ({ params }) => valueKeyOf(`event/${params["name"]}`),
      handle: (exchange) => refusingIn(exchange, () => fire(exchange)),
    },
    {
      ...{ method: "GET", path: "/v1/event/list", asks: "fetch", of: "each" },
      handle: (exchange, caller) => refusingIn(exchange, () => list(exchange, caller)),
    },
  ];

  function fire(exchange: HttpExchange): void {
    checkOptions(exchange, datacenter);
    const payload = exchange.body instanceof Uint8Array ? exchange.body : new Uint8Array(0);
    if (payload.length > PAYLOAD_BYTES_MAX)
      return exchange.respond(textResponse(`user event exceeds the limit of ${PAYLOAD_BYTES_MAX} bytes`, 500));
    const filter = (name: string) => valuesOf(exchange, name)[0] ?? "";
    const event: UserEvent = {
      ID: newId(secrets),
      Name: exchange.params["name"] ?? "",
      Payload: payload.length === 0 ? null : toBase64(payload),
      ...{ NodeFilter: filter("node"), ServiceFilter: filter("service"), TagFilter: filter("tag") },
      ...{ Version: 1, LTime: ++count },
    };
    events.push(event);
    if (events.length > EVENTS_MAX) events.shift();
    blocking.topics.bump(TOPIC, BigInt(count) + 1n);
    exchange.respond(rowsResponse(exchange, { ...event, LTime: 0 }));
  }

  function list(exchange: HttpExchange, caller: Caller): void {
    const [name] = valuesOf(exchange, "name");
    const isSeen = (event: UserEvent) =>
      (name === undefined || event.Name === name) &&
      caller.mayDo({ action: "fetch", about: valueKeyOf(`event/${event.Name}`) });
    // Clients find the events that they have not seen by this index, which they make of an event's id.
    const index = () => indexOf(events.findLast(isSeen));
    const answer = () => rowsResponse(exchange, events.filter(isSeen), index());
    const since = blocking.indexIn(exchange);
    if (since === 0n || since !== index()) return exchange.respond(answer());
    blocking.askByHash(exchange, { topics: [TOPIC], isChanged: () => index() !== since, answer }, nowMs());
  }
}

/** The index of an event: both halves of its id, one xor the other. It is no count, and may be below an earlier one. */
function indexOf(event: UserEvent | undefined): bigint {
  if (event === undefined) return FIRST_INDEX;
  const id = BigInt(`0x${event.ID.replaceAll("-", "")}`);
  return (id >> 64n) ^ BigInt.asUintN(64, id);
}

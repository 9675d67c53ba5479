// The paths of clients, by which operators see who registers and subscribes what: the clients by gRPC that are
// connected to this session, as `/v2/ns/client/list` names them. Of a service also those that have no connection: their
// addresses are their names.

import { fail, type RegistryError } from "../../../base/errors.ts";
import { instancesOf } from "../../../model/content.ts";
import type { ClientId, ServiceKey } from "../../../model/ids.ts";
import { SURVEY_ROWS_MAX, type SubscriberRow } from "../../../model/survey.ts";
import type { Registry, ServiceView } from "../../../registry/registry.ts";
import type { SurveyAnswer } from "../../../registry/survey.ts";
import { NACOS, type NacosInstance } from "../naming/instance.ts";
import { askList } from "../naming/lists.ts";
import { serviceNameOf } from "../naming/names.ts";
import type { Registrations } from "../naming/registrations.ts";
import { UDP_CLIENT } from "../naming/udpClient.ts";
import type { NacosClient } from "../part.ts";
import { HTTP_CODE, type NacosCall, type NacosPath } from "./forms.ts";
import { readService } from "./readInstance.ts";

/** A connection whose client is set up. */
export interface ConnectedClient extends NacosClient {
  /** The time of its last word. */
  readonly heardMs: number;
}

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly registrations: Pick<Registrations, "registeredBy">;
  readonly connected: () => Iterable<ConnectedClient>;
}

/** The subscribers of this session that are asked for; undefined with the reason. */
type Subscribers = (rows: readonly SubscriberRow[] | undefined, error: RegistryError | undefined) => void;

// An answer of this session alone.
const SURVEY_MS = 2_000;
const PORT = { min: 0, max: 65_535 };

/** The paths. */
export function clientPaths(parts: Parts): NacosPath[] {
  const paths = new ClientPaths(parts);
  const read = (path: string, handle: NacosPath["handle"]): NacosPath => ({
    ...{ method: "GET", path: `/v2/ns/client${path}`, asks: "read" },
    handle,
  });
  return [
    read("", (call) => paths.show(call)),
    read("/publish/list", (call) => paths.published(call)),
    read("/subscribe/list", (call) => paths.subscribed(call)),
    read("/service/publisher/list", (call) => paths.publishers(call)),
    read("/service/subscriber/list", (call) => paths.subscribers(call)),
  ];
}

class ClientPaths {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  show(call: NacosCall): void {
    const client = this.#named(call);
    if (client === undefined) return;
    const { connectionId: clientId, setup, address: clientIp, heardMs } = client;
    call.answer({
      ...{ clientId, ephemeral: true, lastUpdatedTime: Math.floor(heardMs) },
      ...{ clientType: "connection", connectType: "GRPC", appName: appNameOf(client), version: setup.version },
      ...{ clientIp, clientPort: clientId.slice(clientId.lastIndexOf("_") + 1) },
    });
  }

  published(call: NacosCall): void {
    const client = this.#named(call);
    if (client === undefined) return;
    const rows = [...this.#parts.registrations.registeredBy(client)].map(([serviceKey, { ip, port, cluster }]) => ({
      ...namesOf(serviceKey),
      registeredInstance: { ip, port, cluster },
    }));
    call.answer(rows);
  }

  subscribed(call: NacosCall): void {
    const client = this.#named(call);
    if (client === undefined) return;
    this.#survey(call, undefined, (rows, error) => {
      if (rows === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      const own = rows.filter((row) => row.client === client.id).map(({ serviceKey }) => serviceKey);
      const subscriberInfo = { app: appNameOf(client), agent: client.setup.version, addr: client.address };
      // A client may subscribe a service with several selections of clusters.
      call.answer([...new Set(own)].map((serviceKey) => ({ ...namesOf(serviceKey), subscriberInfo })));
    });
  }

  publishers(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const isWanted = wantedIn(call);
    const isEphemeral = call.params.flag("ephemeral") ?? true;
    const connected = isEphemeral ? this.#publishersOf(serviceKey) : [];
    askList(this.#parts.registry, { serviceKey, nowMs: call.nowMs }, (view, error) => {
      if (view === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      call.answer([...connected, ...unconnectedIn(view, isEphemeral)].filter(isWanted));
    });
  }

  subscribers(call: NacosCall): void {
    const serviceKey = readService(call.params);
    const isWanted = wantedIn(call);
    this.#survey(call, serviceKey, (rows, error) => {
      if (rows === undefined) return call.refuse(error ?? fail("LIST_UNAVAILABLE"));
      const ids = new Set(rows.map(({ client }) => client));
      const connected = [...this.#parts.connected()]
        .filter(({ id }) => ids.has(id))
        .map(({ connectionId: clientId, address: ip }) => ({ clientId, ip, port: 0 }));
      call.answer([...connected, ...[...ids].flatMap(byUdp)].filter(isWanted));
    });
  }

  /** The client that a request names; it is refused if there is none. */
  #named(call: NacosCall): ConnectedClient | undefined {
    const wanted = call.params.needed("clientId");
    for (const client of this.#parts.connected()) if (client.connectionId === wanted) return client;
    const message = `clientId [ ${wanted.slice(0, 100)} ] not exist`;
    call.refuseWith({ status: 404, code: HTTP_CODE.NOT_FOUND, message });
    return undefined;
  }

  #publishersOf(serviceKey: ServiceKey): PublisherJson[] {
    const found: PublisherJson[] = [];
    for (const client of this.#parts.connected()) {
      for (const [, { ip, port }] of this.#parts.registrations.registeredBy(client, serviceKey)) {
        found.push({ clientId: client.connectionId, ip, port });
      }
    }
    return found;
  }

  #survey({ nowMs }: NacosCall, serviceKey: ServiceKey | undefined, done: Subscribers): void {
    const asker = {
      answer: (answer: SurveyAnswer) => {
        if (answer.kind === "failed") return done(undefined, answer.error);
        done(
          answer.sessions.flatMap(({ rows }) => (rows.of === "subscribers" ? rows.rows : [])),
          undefined,
        );
      },
    };
    const survey = { of: "subscribers", serviceKey, host: "", appName: "", rowsMax: SURVEY_ROWS_MAX } as const;
    const asked = { asker, survey, reach: "session", untilMs: nowMs + SURVEY_MS } as const;
    this.#parts.registry.step({ kind: "askedSurvey", ...asked }, nowMs);
  }
}

interface PublisherJson extends Pick<NacosInstance, "ip" | "port"> {
  readonly clientId: string;
}

/** Clients of Nacos whose instances live by heartbeats, or stay: their addresses are their names. */
function unconnectedIn(view: ServiceView, isEphemeral: boolean): PublisherJson[] {
  const found = new Map<string, PublisherJson>();
  for (const publication of view.publications.values()) {
    if (publication.lease === undefined) continue;
    for (const { host: ip, port, source, isPersistent } of instancesOf(publication)) {
      if (source !== NACOS || isPersistent === isEphemeral) continue;
      const clientId = `${ip}:${port}#${isEphemeral}`;
      found.set(clientId, { clientId, ip, port });
    }
  }
  return [...found.values()];
}

function byUdp(client: ClientId): PublisherJson[] {
  const end = client.indexOf(UDP_CLIENT);
  if (end < 0) return [];
  const at = client.slice(0, end);
  const colon = at.lastIndexOf(":");
  return [{ clientId: `${at}#true`, ip: at.slice(0, colon), port: Number(at.slice(colon + 1)) }];
}

/** Without an address all are wanted. */
function wantedIn({ params }: NacosCall): (client: PublisherJson) => boolean {
  const wantedIp = params.text("ip");
  const wantedPort = params.whole("port", PORT);
  return ({ ip, port }) => (wantedIp === "" || ip === wantedIp) && (wantedPort === undefined || port === wantedPort);
}

function namesOf(key: ServiceKey): object {
  const { namespace, group, name: serviceName } = serviceNameOf(key);
  return { namespace, group, serviceName };
}

function appNameOf({ setup }: NacosClient): string {
  return setup.labels.get("AppName") ?? "";
}

// The requests of application-level discovery as events of the registry, and its answers as messages. Status codes and
// the meaning of an empty request are the real server's; it answers 404 where its store does not answer, which a client
// can't tell from an unknown revision, and Roster 500.

import { fail, RegistryError } from "../../base/errors.ts";
import {
  type AppRevision,
  checkedApplication,
  checkedRevisionId,
  checkedServiceName,
  REVISION_BYTES_MAX,
  REVISION_SERVICES_MAX,
} from "../../model/appRevision.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { makeServiceKey, readServiceKey, SEPARATOR } from "../../model/serviceKey.ts";
import type { Registry } from "../../registry/registry.ts";
import type { AskingClient, ClientAccess } from "../kit/clientAccess.ts";
import {
  APP_STATUS,
  type GetRevisionsRequest,
  type MetaHeartbeatRequest,
  type MetaRegister,
  type ServiceAppMappingRequest,
} from "./codec/appMessages.ts";
import { type Encoded, encodeGetRevisionsResponse, encodeMessage } from "./codec/codec.ts";
import type { SofaMessage } from "./codec/messages.ts";
import { sofaError } from "./errorTable.ts";

/** A request about applications. */
export type AppRequest = MetaRegister | GetRevisionsRequest | ServiceAppMappingRequest | MetaHeartbeatRequest;

const REQUESTS: ReadonlySet<string> = new Set<AppRequest["kind"]>([
  "metaRegister",
  "getRevisionsRequest",
  "serviceAppMappingRequest",
  "metaHeartbeatRequest",
]);

/** Whether a message is a request about applications. */
export function isAppRequest(message: SofaMessage): message is AppRequest {
  return REQUESTS.has(message.kind);
}

interface Environment extends Pick<AskingClient, "from" | "certificate"> {
  readonly registry: Registry;
  readonly access: Pick<ClientAccess, "check">;
  readonly nowMs: number;
  readonly respond: (answer: Encoded) => void;
}

// The Java client gives an answer a second, MOSN's three.
const ANSWER_MS = 2_500;
// Several contents at once; a client asks again for the rest.
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** The version of a service that no application offers. */
const NO_APPS_VERSION = -1n;

/** Answers a request, now or within some seconds. Throws REQUEST_EMPTY. */
export function askOfApplications(message: AppRequest, environment: Environment): void {
  switch (message.kind) {
    case "metaRegister":
      return register(message, environment);
    case "getRevisionsRequest":
      return find(notEmpty(message.revisions, "revisions"), environment);
    case "serviceAppMappingRequest":
      return findApps(notEmpty(message.serviceIds, "serviceIds"), environment);
    case "metaHeartbeatRequest":
      return renew(notEmpty(message.revisions, "revisions"), environment);
  }
}

function register(message: MetaRegister, environment: Environment): void {
  const { registry, nowMs, respond } = environment;
  const answer = (error: RegistryError | undefined) =>
    respond(
      encodeMessage("protobuf", {
        kind: "registerResponse",
        success: error === undefined,
        registId: "",
        version: 0n,
        refused: false,
        message: error?.message ?? "",
      }),
    );
  try {
    const revision = revisionOf(message);
    for (const service of revision.services) check("publish", service, environment);
    const asker = { answer: ({ error }: { readonly error: RegistryError | undefined }) => answer(error) };
    registry.step({ kind: "registeredRevision", asker, revision, untilMs: nowMs + ANSWER_MS }, nowMs);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    answer(error);
  }
}

/** Throws CREDENTIALS_NEEDED or PERMISSION_NEEDED. Such messages carry no signature: only a certificate is a proof. */
function check(action: "publish" | "list", service: string, { access, from, certificate }: Environment): void {
  const isKey = service.includes(SEPARATOR);
  const serviceKey = isKey ? readServiceKey(service, "service") : serviceKeyOfName(service);
  access.check({ from, certificate, action, serviceKey, proof: undefined });
}

function serviceKeyOfName(name: string): ServiceKey {
  return makeServiceKey({ name, namespace: "", group: "" });
}

/** The registry's form of a revision. Throws FIELD_INVALID. */
function revisionOf(message: MetaRegister): AppRevision {
  const { application, revision, services } = message;
  if (services.size > REVISION_SERVICES_MAX) {
    throw fail("FIELD_INVALID", {
      field: "services",
      count: services.size,
      expected: `at most ${REVISION_SERVICES_MAX}`,
    });
  }
  const { content } = encodeMessage("protobuf", message);
  if (content.length > REVISION_BYTES_MAX) {
    throw fail("FIELD_INVALID", { field: "content", bytes: content.length, expected: `at most ${REVISION_BYTES_MAX}` });
  }
  return {
    id: checkedRevisionId(revision),
    application: checkedApplication(application),
    services: [...services.keys()].map(checkedServiceName),
    content,
  };
}

function find(ids: readonly string[], { registry, nowMs, respond }: Environment): void {
  const { known, wrong } = validIds(ids);
  const asker = {
    answer: ({ found, unknown, error }: FoundRevisions) => {
      const revisions = new Map<string, Uint8Array>();
      let bytes = 0;
      for (const [id, { content }] of found) {
        bytes += content.length;
        if (bytes <= ANSWER_BYTES_MAX || revisions.size === 0) revisions.set(id, content);
      }
      const isCut = revisions.size < found.size;
      const missing = [...wrong, ...unknown];
      const status = statusOf(missing, error);
      respond(
        encodeGetRevisionsResponse({
          revisions,
          statusCode: isCut ? APP_STATUS.ERROR : status,
          message: isCut ? "the revisions are too many for one answer; ask for fewer" : wordsOf(missing, error),
        }),
      );
    },
  };
  registry.step({ kind: "askedRevisions", asker, ids: known, untilMs: nowMs + ANSWER_MS }, nowMs);
}

interface FoundRevisions {
  readonly found: ReadonlyMap<string, AppRevision>;
  readonly unknown: readonly string[];
  readonly error: RegistryError | undefined;
}

function renew(ids: readonly string[], { registry, nowMs, respond }: Environment): void {
  const { known, wrong } = validIds(ids);
  const asker = {
    answer: ({ unknown, error }: Pick<FoundRevisions, "unknown" | "error">) => {
      const missing = [...wrong, ...unknown];
      const [statusCode, message] = [statusOf(missing, error), wordsOf(missing, error)];
      respond(encodeMessage("protobuf", { kind: "metaHeartbeatResponse", statusCode, message }));
    },
  };
  registry.step({ kind: "renewedRevisions", asker, ids: known, untilMs: nowMs + ANSWER_MS }, nowMs);
}

function findApps(names: readonly string[], environment: Environment): void {
  const { registry, nowMs, respond } = environment;
  const services = [...new Set(names)];
  const known = services.filter((service) => isValid(service, checkedServiceName));
  const asker = {
    answer: (answer: { readonly services: readonly ServiceEntry[]; readonly error: RegistryError | undefined }) => {
      const found = new Map(answer.services.map((entry) => [entry.service, entry]));
      const serviceAppMapping = new Map(
        services.map((service) => {
          const { version, applications } = found.get(service) ?? { version: 0n, applications: [] };
          return [service, { version: applications.length === 0 ? NO_APPS_VERSION : version, apps: applications }];
        }),
      );
      const statusCode = statusOf([], answer.error);
      const message = wordsOf([], answer.error);
      respond(encodeMessage("protobuf", { kind: "serviceAppMappingResponse", serviceAppMapping, statusCode, message }));
    },
  };
  try {
    for (const service of known) check("list", service, environment);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return asker.answer({ services: [], error });
  }
  registry.step({ kind: "askedServiceApps", asker, services: known, untilMs: nowMs + ANSWER_MS }, nowMs);
}

interface ServiceEntry {
  readonly service: string;
  readonly version: bigint;
  readonly applications: readonly string[];
}

/** A name that no revision can have is unknown, whatever the store says. */
function validIds(ids: readonly string[]): { readonly known: readonly string[]; readonly wrong: readonly string[] } {
  const all = [...new Set(ids)];
  const known = all.filter((id) => isValid(id, checkedRevisionId));
  return { known, wrong: all.filter((id) => !isValid(id, checkedRevisionId)) };
}

function isValid(name: string, check: (name: string) => string): boolean {
  try {
    return check(name) === name;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

function statusOf(missing: readonly string[], error: RegistryError | undefined): number {
  if (error !== undefined) return APP_STATUS.ERROR;
  return missing.length > 0 ? APP_STATUS.NOT_FOUND : APP_STATUS.OK;
}

const NAMES_SHOWN_MAX = 5;

function wordsOf(missing: readonly string[], error: RegistryError | undefined): string {
  if (error !== undefined) return error.message;
  if (missing.length === 0) return "";
  const shown = missing.slice(0, NAMES_SHOWN_MAX).map((id) => id.slice(0, NAME_CHARS_SHOWN));
  return `not registered: ${shown.join(", ")}${missing.length > NAMES_SHOWN_MAX ? ", …" : ""}`;
}

const NAME_CHARS_SHOWN = 300;

function notEmpty(list: readonly string[], field: string): readonly string[] {
  if (list.length > 0) return list;
  throw sofaError("REQUEST_EMPTY", { field: `request.${field}` });
}

// The signature of a registration, in the attributes that SOFARegistry's client has for it (`AuthManager`). Its public
// source defines neither the signed text nor a check, so the text is ours: the access key, the time, dataId,
// instanceId, group and registId, with a line feed between each two, in UTF-8. docs/guide/secure.md has it too.

import type { ServiceKey } from "../../model/ids.ts";
import type { AskedClient, ClientAccess, ClientProof } from "../kit/clientAccess.ts";
import type { Register } from "./codec/messages.ts";
import { serviceNameOf } from "./serviceName.ts";

const ACCESS_KEY = "!AccessKey";
const ALGORITHM = "!Algorithm";
const TIMESTAMP = "!Timestamp";
const SIGNATURE = "!Signature";

/** Throws CREDENTIALS_REFUSED, CREDENTIALS_NEEDED or PERMISSION_NEEDED if the client may not register that. */
export function checkRegister(
  access: Pick<ClientAccess, "check">,
  register: Register,
  { serviceKey, ...client }: Pick<AskedClient, "serviceKey" | "from" | "certificate">,
): void {
  const action = register.kind === "publisherRegister" ? "publish" : "subscribe";
  access.check({ ...client, action, serviceKey, proof: proofIn(register, serviceKey) });
}

function proofIn({ attributes, registId }: Register, serviceKey: ServiceKey): ClientProof | undefined {
  const accessKey = attributes.get(ACCESS_KEY);
  if (accessKey === undefined) return undefined;
  const timestamp = attributes.get(TIMESTAMP) ?? "";
  const { dataId, instanceId, group } = serviceNameOf(serviceKey);
  return {
    accessKey,
    algorithm: attributes.get(ALGORITHM) ?? "",
    timestamp,
    signature: attributes.get(SIGNATURE) ?? "",
    text: [accessKey, timestamp, dataId, instanceId, group, registId].join("\n"),
  };
}

/** The attributes without the proof: others see the attributes, and could use it for a while. */
export function withoutProof(attributes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (!attributes.has(ACCESS_KEY) && !attributes.has(SIGNATURE)) return attributes;
  const others = new Map(attributes);
  for (const name of [ACCESS_KEY, ALGORITHM, TIMESTAMP, SIGNATURE]) others.delete(name);
  return others;
}

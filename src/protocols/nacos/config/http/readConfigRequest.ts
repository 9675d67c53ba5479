// The parts of requests, for the paths of all versions. Each version has its own words for namespace and group.

import type { ValueKey } from "../../../../access/policy.ts";
import { fail } from "../../../../base/errors.ts";
import type { HttpExchange } from "../../../../base/http.ts";
import { headerOf, type Params } from "../../params.ts";
import { valueKeyOf } from "../configAccess.ts";
import { type ConfigKey, checkedName, configKeyOf, namespaceOf } from "../configKey.ts";
import type { Asker } from "../configStore.ts";
import type { Edit } from "../configWriter.ts";
import { betaIpsIn, typeOf } from "../readEdit.ts";

/** The names of the params for namespace and group. */
export interface Words {
  readonly namespace: string;
  readonly group: string;
}

export const V1_WORDS: Words = { namespace: "tenant", group: "group" };
export const V2_WORDS: Words = { namespace: "namespaceId", group: "group" };
export const V3_WORDS: Words = { namespace: "namespaceId", group: "groupName" };

const ENCODER = new TextEncoder();

/** Throws NACOS_PARAMETER_MISSING or FIELD_INVALID. */
export function configKeyIn(params: Params, { namespace, group }: Words): ConfigKey {
  return configKeyOf({
    dataId: params.needed("dataId"),
    group: params.needed(group),
    namespace: params.text(namespace),
  });
}

/** The configuration that the request names, as policies name it. */
export function aboutIn(words: Words): (params: Params) => readonly ValueKey[] {
  return (params) => [valueKeyOf(configKeyIn(params, words))];
}

/** The namespace that a list is asked for. Throws FIELD_INVALID. */
export function namespaceIn(params: Params, { namespace }: Words): string {
  return namespaceOf(params.text(namespace));
}

/** The caller, as gray releases see it. */
export function askerIn(params: Params, exchange: HttpExchange): Asker {
  return { ip: exchange.remoteAddress, tag: params.text("tag") || headerOf(exchange, "vipserver-tag") };
}

/** The configuration that a request publishes. Throws NACOS_PARAMETER_MISSING or FIELD_INVALID. */
export function editIn(params: Params, exchange: HttpExchange, words: Words): Edit {
  const betaIps = headerOf(exchange, "betaips");
  const tag = checkedName("tag", params.text("tag"));
  const gray = betaIps === "" ? tagRule(tag) : ({ kind: "beta", ips: betaIpsIn(betaIps) } as const);
  return {
    key: configKeyIn(params, words),
    content: ENCODER.encode(params.needed("content")),
    type: typeOf(params.text("type")),
    appName: params.text("appName"),
    desc: params.text("desc"),
    tags: params.text("config_tags") || params.text("configTags"),
    encryptedDataKey: params.text("encryptedDataKey"),
    use: params.text("use"),
    effect: params.text("effect"),
    schema: params.text("schema"),
    gray,
    casMd5: headerOf(exchange, "casmd5"),
  };
}

function tagRule(tag: string) {
  return tag === "" ? undefined : ({ kind: "tag", tag } as const);
}

/** Numbers of configurations, with commas between. Throws FIELD_INVALID. */
export function idsIn(params: Params): ReadonlySet<string> {
  const ids = params.needed("ids").split(",");
  const wrong = ids.find((id) => !/^\d{1,19}$/.test(id));
  if (wrong !== undefined)
    throw fail("FIELD_INVALID", { field: "ids", value: wrong.slice(0, 100), expected: "numbers" });
  return new Set(ids);
}

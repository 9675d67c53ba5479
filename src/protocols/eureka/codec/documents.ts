// The documents that Eureka's clients ask for: an instance, an application, all applications. They are put together
// from the parts of their applications, which are made once for each change of one.

import { escapedXml } from "../../../encoding/xml/writer.ts";
import type { EurekaInstance } from "./instance.ts";
import { instanceJson } from "./writeJson.ts";
import { instanceXml } from "./writeXml.ts";

/** The form of an answer. */
export interface Form {
  readonly kind: "json" | "xml";
  /** Only what a client needs to call an instance. */
  readonly isCompact: boolean;
}

export const CONTENT_TYPES = { json: "application/json", xml: "application/xml" } as const;

/** The parts of `applications` besides its applications. */
export interface ApplicationsHead {
  readonly versionsDelta: string;
  readonly hashCode: string;
}

/** A document of one instance. */
export function instanceDocument(instance: EurekaInstance, { kind }: Pick<Form, "kind">): string {
  return kind === "json" ? `{"instance":${instanceJson(instance)}}` : instanceXml(instance);
}

/** The part of an application within a document of all. */
export function applicationPart(name: string, instances: Iterable<EurekaInstance>, form: Form): string {
  return form.kind === "json" ? applicationJson(name, instances, form) : applicationXml(name, instances, form, 1);
}

/** A document of one application. */
export function applicationDocument(name: string, instances: Iterable<EurekaInstance>, form: Form): string {
  if (form.kind === "xml") return applicationXml(name, instances, form, 0);
  return `{"application":${applicationJson(name, instances, form)}}`;
}

/** A document of applications, in three pieces: its beginning, the text between two parts, and its end. */
export function applicationsFrame({ versionsDelta, hashCode }: ApplicationsHead, { kind }: Form) {
  if (kind === "json") {
    const head = JSON.stringify({ versions__delta: versionsDelta, apps__hashcode: hashCode }).slice(0, -1);
    return { begin: `{"applications":${head},"application":[`, between: ",", end: "]}}" };
  }
  const version = `  <versions__delta>${versionsDelta}</versions__delta>\n`;
  const hash = `  <apps__hashcode>${hashCode}</apps__hashcode>\n`;
  return { begin: `<applications>\n${version}${hash}`, between: "", end: "</applications>\n" };
}

function applicationJson(name: string, instances: Iterable<EurekaInstance>, { isCompact }: Form): string {
  const parts = Array.from(instances, (instance) => instanceJson(instance, isCompact));
  return `{"name":${JSON.stringify(name)},"instance":[${parts.join(",")}]}`;
}

function applicationXml(name: string, instances: Iterable<EurekaInstance>, form: Form, depth: number): string {
  const indent = "  ".repeat(depth);
  const { isCompact } = form;
  const parts = Array.from(instances, (instance) => instanceXml(instance, { depth: depth + 1, isCompact }));
  const named = `${indent}  <name>${escapedXml(name)}</name>\n`;
  return `${indent}<application>\n${named}${parts.join("")}${indent}</application>\n`;
}

// The OpenAPI 3.1 document of the operations, made from their table.

import type { AnsweredBy, Operation } from "./operation.ts";
import { type Parameter, type ParameterTable, schemaOf } from "./parameter.ts";
import { REFUSAL } from "./refusal.ts";
import { API_PREFIX } from "./routes.ts";
import type { Json, Schema } from "./schema.ts";

/** Grows when operations are added; the prefix of the paths, when callers would break. */
const API_VERSION = "1.0";

/** The document, which is the same in every process of a release. */
export function openApi(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = API_PREFIX + operation.path;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationOf(operation) };
  }
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Roster",
      version: API_VERSION,
      summary: "Operations on a service registry.",
      description:
        "Any node answers any operation at its admin-port: it asks the node that knows. Questions are GET and change " +
        "nothing. Versions and epochs are texts, since they exceed a JavaScript number. A change that can be " +
        "previewed takes `preview`: it is then checked, and not made.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:9604", description: "The admin-port of a node on this machine." }],
    security: [],
    tags: tagsOf(operations),
    paths,
    components: {
      schemas: { Refusal: REFUSAL },
      responses: {
        Refusal: {
          description: "The refusal: what was wrong, with which value, and what to do.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } },
        },
      },
    },
  };
  return document as unknown as Json;
}

function tagsOf(operations: readonly Operation[]): readonly object[] {
  return [...new Set(operations.map(tagOf))].map((name) => ({ name }));
}

function tagOf({ name }: Operation): string {
  return name.slice(0, name.indexOf("."));
}

function operationOf(operation: Operation): object {
  const { name, about, method, parameters, answer, permission, isChange, canBePreviewed, answeredBy } = operation;
  const isInQuery = method === "GET" || method === "DELETE";
  return {
    operationId: name,
    tags: [tagOf(operation)],
    summary: about,
    ...(isInQuery && { parameters: Object.entries(parameters).map(inQuery) }),
    ...(!isInQuery && { requestBody: bodyOf(parameters) }),
    responses: {
      "200": { description: "The answer.", content: { "application/json": { schema: answer } } },
      ...(operation.isBegunOnly && {
        "202": { description: "It is begun.", content: { "application/json": { schema: answer } } },
      }),
      "4XX": { $ref: "#/components/responses/Refusal" },
      "5XX": { $ref: "#/components/responses/Refusal" },
    },
    "x-permission": permission,
    "x-change": isChange,
    "x-preview": canBePreviewed,
    "x-answered-by": answererOf(answeredBy),
  };
}

function inQuery([name, parameter]: [string, Parameter]): object {
  return {
    name,
    in: "query",
    description: parameter.about,
    required: parameter.isRequired === true,
    schema: schemaOf(parameter),
    ...(parameter.type === "list" && { style: "form", explode: false }),
  };
}

function bodyOf(parameters: ParameterTable): object {
  const entries = Object.entries(parameters);
  const required = entries.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const schema: Schema = {
    type: "object",
    properties: Object.fromEntries(
      entries.map(([name, parameter]) => [name, { ...schemaOf(parameter), description: parameter.about }]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { required: required.length > 0, content: { "application/json": { schema } } };
}

/** In words: the node that answers. */
export function answererOf(answeredBy: AnsweredBy): string {
  switch (answeredBy.kind) {
    case "askedNode":
      return "the asked node";
    case "session":
      return "a session";
    case "leader":
      return "the leading meta node";
    case "meta":
      return "the leading meta node, or another one while there is none";
    case "slotLeader":
      return `the data node that leads the slot of \`${answeredBy.parameter}\``;
    case "namedNode":
      return `the node of \`${answeredBy.parameter}\`, or the asked one`;
    default:
      return answeredBy.role === "any" ? "each node" : `each ${answeredBy.role === "data" ? "data node" : "session"}`;
  }
}

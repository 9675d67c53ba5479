// Namespaces, in all versions. Policies name them as values of the group `namespace`.

import type { ValueKey } from "../../../../access/policy.ts";
import { RegistryError } from "../../../../base/errors.ts";
import type { Caller } from "../../../kit/judgedRoutes.ts";
import type { Params } from "../../params.ts";
import type { NamespaceHead } from "../configRecord.ts";
import type { Namespaces } from "../namespaces.ts";
import type { Asked, ConfigPath } from "./configRoute.ts";
import { namespaceInfo } from "./documents.ts";
import type { HttpParts } from "./httpParts.ts";

const V1 = "/v1/console/namespaces";
const LATER = ["/v2/console/namespace", "/v3/admin/core/namespace"] as const;

/** The namespace that a request names by this parameter. */
function aboutNamespace(parameter: string): (params: Params) => readonly ValueKey[] {
  return (params) => [valueKeyOf(params.text(parameter).trim())];
}

function valueKeyOf(id: string): ValueKey {
  return { namespace: "", group: "namespace", name: id };
}

/** The namespaces that a caller may know. */
function listOf(namespaces: Namespaces, caller: Caller): readonly object[] {
  const known = namespaces.list().filter(({ id }) => caller.mayDo({ action: "fetch", about: valueKeyOf(id) }));
  return known.map(namespaceInfo);
}

export function namespacePaths(parts: HttpParts): readonly ConfigPath[] {
  return [...pathsV1(parts), ...LATER.flatMap((path) => pathsAt(path, parts))];
}

function pathsV1({ namespaces, newId }: HttpParts): readonly ConfigPath[] {
  const v1 = { form: "v1", path: V1 } as const;
  const named = (params: Params, name: string): NamespaceHead => {
    return { name: params.needed(name), desc: params.text("namespaceDesc") };
  };
  return [
    {
      ...v1,
      method: "GET",
      asks: "fetch",
      of: (params) => {
        if (params.text("checkNamespaceIdExist") === "true") return aboutNamespace("customNamespaceId")(params);
        return params.text("show") === "all" ? aboutNamespace("namespaceId")(params) : [];
      },
      handle: ({ params, caller }) => {
        if (params.text("checkNamespaceIdExist") === "true") {
          return namespaces.has(params.text("customNamespaceId"));
        }
        if (params.text("show") === "all") return namespaceInfo(namespaces.get(params.needed("namespaceId")));
        return { code: 200, message: null, data: listOf(namespaces, caller), noRight: false };
      },
    },
    {
      ...v1,
      method: "POST",
      asks: "store",
      of: aboutNamespace("customNamespaceId"),
      handle: ({ params }) => {
        const id = params.text("customNamespaceId").trim() || newId();
        return orFalse(namespaces.create(id, named(params, "namespaceName")));
      },
    },
    {
      ...v1,
      method: "PUT",
      asks: "store",
      of: aboutNamespace("namespace"),
      handle: ({ params }) =>
        orFalse(namespaces.change(params.needed("namespace"), named(params, "namespaceShowName"))),
    },
    {
      ...v1,
      method: "DELETE",
      asks: "store",
      of: aboutNamespace("namespaceId"),
      handle: ({ params }) => namespaces.remove(params.needed("namespaceId")).then(() => true),
    },
  ];
}

function pathsAt(path: string, { namespaces, newId }: HttpParts): readonly ConfigPath[] {
  const result = { form: "result", path } as const;
  const id = ({ params }: Asked) => params.needed("namespaceId");
  const head = ({ params }: Asked): NamespaceHead => {
    return { name: params.needed("namespaceName"), desc: params.text("namespaceDesc") };
  };
  return [
    {
      ...result,
      path: `${path}/list`,
      method: "GET",
      asks: "fetch",
      of: "each",
      handle: ({ caller }) => listOf(namespaces, caller),
    },
    {
      ...result,
      path: `${path}/check`,
      method: "GET",
      asks: "fetch",
      of: aboutNamespace("namespaceId"),
      handle: (asked) => (namespaces.has(id(asked)) ? 1 : 0),
    },
    {
      ...result,
      method: "GET",
      asks: "fetch",
      of: aboutNamespace("namespaceId"),
      handle: (asked) => namespaceInfo(namespaces.get(id(asked))),
    },
    {
      ...result,
      method: "POST",
      asks: "store",
      of: aboutNamespace("namespaceId"),
      handle: (asked) => {
        const wanted = asked.params.text("namespaceId").trim() || newId();
        return namespaces.create(wanted, head(asked)).then(() => true);
      },
    },
    {
      ...result,
      method: "PUT",
      asks: "store",
      of: aboutNamespace("namespaceId"),
      handle: (asked) => namespaces.change(id(asked), head(asked)).then(() => true),
    },
    {
      ...result,
      method: "DELETE",
      asks: "store",
      of: aboutNamespace("namespaceId"),
      handle: (asked) => namespaces.remove(id(asked)).then(() => true),
    },
  ];
}

const REFUSED: ReadonlySet<string> = new Set(["NACOS_NAMESPACE_EXISTS", "NACOS_NAMESPACE_INVALID"]);

/** Version 1 says only that it has not been done. */
async function orFalse(done: Promise<void>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (error instanceof RegistryError && REFUSED.has(error.code)) return false;
    throw error;
  }
}

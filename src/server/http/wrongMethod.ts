// Requests for a path that a table has, by a method that no route of the path has.

import type { HttpResponse, HttpRouteTable } from "../../base/http.ts";

/** The answer to a request that no route takes; undefined if the path is unknown, or the table makes no difference. */
export type WrongMethod = (method: string, path: string) => HttpResponse | undefined;

interface KnownPath {
  readonly form: RegExp;
  /** No segment takes anything. */
  readonly isPlain: boolean;
  readonly methods: string[];
}

export function wrongMethodOf({ routes, wrongMethod }: HttpRouteTable): WrongMethod {
  if (wrongMethod === undefined) return () => undefined;
  const paths = new Map<string, KnownPath>();
  for (const { method, path } of routes) {
    const known = paths.get(path) ?? { form: formOf(path), isPlain: !/[:*]/.test(path), methods: [] };
    known.methods.push(method);
    paths.set(path, known);
  }
  return (method, path) => {
    const meant = [...paths.values()].filter(({ form }) => form.test(path));
    const [known] = [...meant.filter(({ isPlain }) => isPlain), ...meant];
    return known && wrongMethod(method, known.methods);
  };
}

/** Each `:name` is one segment, and `*` the rest of the path. */
function formOf(path: string): RegExp {
  const parts = path.split("/").map((part) => {
    if (part === "*") return ".*";
    return part.startsWith(":") ? "[^/]+" : part.replace(/[^\w-]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}

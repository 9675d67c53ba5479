// The paths of Eureka: Spring's server has them below /eureka/, Netflix' own below /eureka/v2/, and both with a slash
// at the end or without.

import type { HttpRoute } from "../../../base/http.ts";

const PREFIXES = ["/eureka", "/eureka/v2"] as const;

/** The route at all of its paths. `path` begins with a slash: `/apps/:app`. */
export function routesAt(method: HttpRoute["method"], path: string, handle: HttpRoute["handle"]): HttpRoute[] {
  const paths = PREFIXES.flatMap((prefix) => [prefix + path, `${prefix + path}/`]);
  return paths.map((each) => ({ method, path: each, handle }));
}

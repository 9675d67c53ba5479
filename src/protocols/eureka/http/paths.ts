// The paths of Eureka: Spring's server has them below /eureka/, Netflix' own below /eureka/v2/, and both with a slash
// at the end or without.

import type { JudgedRoute } from "../../kit/judgedRoutes.ts";

const PREFIXES = ["/eureka", "/eureka/v2"] as const;

/** The route at all of its paths. Its own begins with a slash: `/apps/:app`. */
export function routesAt(route: JudgedRoute): JudgedRoute[] {
  const paths = PREFIXES.flatMap((prefix) => [prefix + route.path, `${prefix + route.path}/`]);
  return paths.map((path) => ({ ...route, path }));
}

import { RegistryError } from "../../../base/errors.ts";
import type { HttpExchange, HttpRoute } from "../../../base/http.ts";
import { asked } from "../../../base/testing/asked.ts";

/**
 * Asks each of these routes as a caller who may do nothing (`closedAccess`), and returns those that did not refuse it
 * for that. `changes` fill what a route needs to know what it is about.
 */
export async function routesLetIn(
  routes: readonly HttpRoute[],
  changes: (route: HttpRoute) => Partial<HttpExchange> = () => ({}),
): Promise<string[]> {
  const open: string[] = [];
  for (const route of routes) {
    const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
    const params = Object.fromEntries(names.map((name) => [name, "some"]));
    const { refused } = await asked([route], `${route.method} ${route.path}`, { params, ...changes(route) });
    const isRefused = refused instanceof RegistryError && refused.code === "PERMISSION_NEEDED";
    if (!isRefused) open.push(`${route.method} ${route.path}`);
  }
  return open;
}

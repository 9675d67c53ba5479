// The paths of configurations, of their history and of namespaces, in all versions of Nacos' interface.

import type { HttpRoute } from "../../../../base/http.ts";
import { configPathsV1 } from "./configPathsV1.ts";
import { configPathsV2 } from "./configPathsV2.ts";
import { type ConfigPath, configRoute } from "./configRoute.ts";
import { historyPaths } from "./historyPaths.ts";
import type { HttpParts } from "./httpParts.ts";
import { listenerPaths } from "./listenerPaths.ts";
import { namespacePaths } from "./namespacePaths.ts";

export function configPaths(parts: HttpParts): readonly ConfigPath[] {
  return [
    ...configPathsV1(parts),
    ...configPathsV2(parts),
    ...listenerPaths(parts),
    ...historyPaths(parts),
    ...namespacePaths(parts),
  ];
}

export function configRoutes(parts: HttpParts): HttpRoute[] {
  return configPaths(parts).flatMap((path) => configRoute(path, parts));
}

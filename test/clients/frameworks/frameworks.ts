// The frameworks that are tried, each a module of pom.xml.

import type { Framework } from "./cast.ts";

const registryClient = (version: string): Framework => ({
  name: `registry-client-${version}`,
  main: "roster.frameworks.registryclient.Main",
});

const sofarpc = (version: string): Framework => ({
  name: `sofarpc-${version}`,
  main: "roster.frameworks.sofarpc.Main",
});

export const FRAMEWORKS: readonly Framework[] = [
  sofarpc("5.5.3"),
  sofarpc("5.13.2"),
  registryClient("5.2.0"),
  registryClient("5.4.3"),
  registryClient("6.3.0"),
  registryClient("6.5.6"),
  { name: "dubbo-2.7.23", main: "roster.frameworks.dubbo.Main" },
  {
    name: "seata-1.8.0",
    main: "roster.frameworks.seata.Main",
    properties: (registry) => ({ "registry.sofa.serverAddr": registry }),
  },
];

// Answers of a real server (Spring Cloud Netflix 5.0.2 with eureka-core 2.0.6), recorded.

import { readFileSync } from "node:fs";

const FOLDER = new URL("../../../../test/vectors/eureka/", import.meta.url);

/** The body of a recorded answer. */
export function sampleBody(name: string): string {
  const recorded = readFileSync(new URL(name, FOLDER), "utf8");
  return recorded.slice(recorded.indexOf("\n\n") + 2).trimEnd();
}

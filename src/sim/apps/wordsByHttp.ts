import type { HttpProtocol } from "../httpServices.ts";
import { EUREKA_WORDS } from "./eurekaWords.ts";
import type { HttpWords } from "./httpWords.ts";

/** The words of each protocol. */
export const HTTP_WORDS: Readonly<Record<HttpProtocol, HttpWords>> = { eureka: EUREKA_WORDS };

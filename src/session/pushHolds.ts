// The pushes that operators hold, as the pusher asks for them: rules decide (sessionRules.ts).

import type { ServiceKey } from "../model/ids.ts";
import type { Client } from "./client.ts";

/** A push: the list of a service for subscribers of a zone, or a configuration value, which has none. */
export interface Pushed {
  readonly client: Client;
  readonly serviceKey: ServiceKey;
  readonly zone?: string;
}

/** Rules that hold pushes. */
export interface PushHolds {
  holds(push: Pushed): boolean;
}

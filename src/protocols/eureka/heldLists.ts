// The applications of this session, held while clients of Eureka ask for them.

import type { Compression } from "../../base/ports.ts";
import { HeldGroup, type HeldGroupParts } from "../kit/heldGroup.ts";
import { Applications, type WordListener } from "./applications.ts";
import { Bodies } from "./bodies.ts";
import type { Reading, Shown } from "./http/readRoutes.ts";

interface Parts extends HeldGroupParts {
  readonly compression: Pick<Compression, "gzip">;
  /** Called within a step of the registry. */
  readonly wordLost: WordListener;
}

export class HeldLists extends HeldGroup<Shown> implements Reading {
  constructor(parts: Parts) {
    super(parts, () => {
      const applications = new Applications(parts.wordLost);
      const bodies = new Bodies(applications, parts.compression);
      return {
        shown: { applications, bodies },
        listed: (serviceKey, publications) => void applications.set(serviceKey, publications, parts.nowMs()),
        check: (nowMs) => bodies.tidy(nowMs),
      };
    });
  }

  /** The applications as far as they are known now. */
  applications(): Applications {
    return this.now().applications;
  }
}

// The role session in its process.

import type { Metrics } from "../base/metrics.ts";
import { Stepper, type StepperEnvironment } from "../base/stepper.ts";
import type { MemberToMeta } from "../messages/membership.ts";
import { Session, type SessionEvent, type SessionOptions, type SessionOutput } from "../session/session.ts";

export interface SessionHostEnvironment extends StepperEnvironment {
  readonly metrics: Metrics;
  readonly output: SessionOutput;
}

export class SessionHost {
  readonly session: Session;
  readonly stepper: Stepper<SessionEvent>;
  /** Where clients reach this node, as the other sessions tell it to theirs; empty while it takes none. */
  clientAddress = "";

  constructor(options: SessionOptions, { output, ...environment }: SessionHostEnvironment) {
    const toMeta = (message: MemberToMeta) => output.toMeta(this.#withClientAddress(message));
    this.session = new Session(options, {
      metrics: environment.metrics,
      nowMs: environment.clock.nowMs(),
      output: { ...output, toMeta },
    });
    this.stepper = new Stepper<SessionEvent>(this.session, environment);
  }

  // The role knows nothing of ports; its host does.
  #withClientAddress(message: MemberToMeta): MemberToMeta {
    if (message.kind !== "heartbeat" || this.clientAddress === "") return message;
    return { ...message, clientAddress: this.clientAddress };
  }
}

import type { SteppedRole } from "../../base/stepper.ts";
import type { OpenGateway } from "./gateway.ts";

// This decides how exactly the end of a frozen client is met.
const CHECK_MS = 500;

/** The regular checks of all gateways of a node, driven by a stepper like a role. */
export class GatewayChecks implements SteppedRole<{ readonly kind: "woken" }> {
  readonly #gateways: readonly OpenGateway[];
  #nextMs: number;

  constructor(gateways: readonly OpenGateway[], nowMs: number) {
    this.#gateways = gateways;
    this.#nextMs = nowMs + CHECK_MS;
  }

  step(_event: { readonly kind: "woken" }, nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + CHECK_MS;
    for (const gateway of this.#gateways) gateway.check?.(nowMs);
  }

  nextWakeMs(): number {
    return this.#nextMs;
  }

  /** Input from the time of the stop has until the next check to be read. A shorter delay is that of a busy process. */
  resumed(lateMs: number, nowMs: number): void {
    if (lateMs <= CHECK_MS) return;
    this.#nextMs = nowMs + CHECK_MS;
    for (const gateway of this.#gateways) gateway.resumed?.(lateMs + CHECK_MS, nowMs);
  }
}

// Probes with sockets. Each is a connection or a datagram of its own, to an address that was judged, and reads no more
// of what comes back than it takes to know the status.

import type { Cancel } from "../../base/ports.ts";
import type { Probe, ProbeOutcome, Probes } from "../../base/probes.ts";
import { probeGrpc } from "./grpcProbe.ts";
import { probeHttp } from "./httpProbe.ts";
import { type NoAddress, type PinnedAddress, pinAddress } from "./pinnedAddress.ts";
import type { ProbeOne } from "./probeOne.ts";
import { probeTcp } from "./tcpProbe.ts";
import { probeUdp } from "./udpProbe.ts";

export interface ProbesOptions {
  /** Whether a probe may go to this IP address. */
  readonly allows: (address: string) => boolean;
  readonly refusal: (probe: Probe) => string | undefined;
}

export function createProbes({ allows, refusal }: ProbesOptions): Probes {
  return {
    refusal,
    probe(probe, timeoutMs, done) {
      const ends: Cancel[] = [];
      let isOver = false;
      const end = () => {
        isOver = true;
        clearTimeout(timer);
        for (const each of ends) each();
      };
      const finish = (outcome: ProbeOutcome) => {
        if (isOver) return;
        end();
        done(outcome);
      };
      const timer = setTimeout(() => finish(timeoutOf(probe, timeoutMs)), timeoutMs);
      const denial = refusal(probe);
      if (denial !== undefined) {
        setImmediate(() => finish({ result: "denied", output: denial }));
        return end;
      }
      pinAddress(probe.host, allows, (found) => {
        if (isOver) return;
        if ("reason" in found) return finish(outcomeOf(found));
        ends.push(begin(probe, found, { timeoutMs, done: finish }));
        // It was over at once.
        if (isOver) end();
      });
      return end;
    },
  };
}

function begin(probe: Probe, at: PinnedAddress, options: Parameters<ProbeOne<Probe>>[2]): Cancel {
  switch (probe.kind) {
    case "tcp":
      return probeTcp(probe, at, options);
    case "http":
      return probeHttp(probe, at, options);
    case "grpc":
      return probeGrpc(probe, at, options);
    case "udp":
      return probeUdp(probe, at, options);
  }
}

function outcomeOf({ reason, output }: NoAddress): ProbeOutcome {
  return { result: reason === "denied" ? "denied" : "critical", output };
}

/** Silence after a datagram is no failure. */
function timeoutOf(probe: Probe, timeoutMs: number): ProbeOutcome {
  const address = `${probe.host}:${probe.port}`;
  if (probe.kind === "udp") return { result: "passing", output: `UDP ${address}: nothing came back` };
  return { result: "critical", output: `${probe.kind.toUpperCase()} ${address}: no answer within ${timeoutMs} ms` };
}

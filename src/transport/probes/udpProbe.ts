import { createSocket } from "node:dgram";
import type { UdpProbe } from "../../base/probes.ts";
import { failureOf, type ProbeOne } from "./probeOne.ts";

/**
 * Sends an empty datagram: the system hears of a port where no process listens. Any datagram that comes back passes.
 */
export const probeUdp: ProbeOne<UdpProbe> = ({ host, port }, { address, family }, { done }) => {
  const what = `UDP ${host}:${port}`;
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  let isClosed = false;
  socket.on("error", (error) => done(failureOf(what, error)));
  socket.on("message", () => done({ result: "passing", output: `${what}: answered` }));
  // Only a connected socket is told that the port is closed.
  socket.connect(port, address, () => {
    if (!isClosed) socket.send(new Uint8Array(), (error) => error && done(failureOf(what, error)));
  });
  return () => {
    if (isClosed) return;
    isClosed = true;
    socket.close();
  };
};

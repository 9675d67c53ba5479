import { connect } from "node:net";
import type { TcpProbe } from "../../base/probes.ts";
import { failureOf, type ProbeOne } from "./probeOne.ts";

/** Makes a connection, and closes it. */
export const probeTcp: ProbeOne<TcpProbe> = ({ host, port }, { address }, { done }) => {
  const what = `TCP ${host}:${port}`;
  const socket = connect({ host: address, port });
  socket.on("connect", () => done({ result: "passing", output: `${what}: connected` }));
  socket.on("error", (error) => done(failureOf(what, error)));
  return () => void socket.destroy();
};

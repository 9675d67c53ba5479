// The servers that HashiCorp's own tests ask for. Each test of theirs starts a program `consul` with a configuration of
// its own; go/consul stands in for that program, and has this process start a Roster at the ports of the configuration.
// One process has all of these servers, so that its code is loaded once.

import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { consulGateway } from "../../../src/protocols/consul/gateway.ts";
import { dnsGateway } from "../../../src/protocols/dns/gateway.ts";
import { TestNodes } from "../../../src/server/testing/testNodes.ts";

/** What the configuration files of these tests say to us. */
interface AgentFile {
  readonly ports: { readonly http: number; readonly dns: number };
  readonly node_name: string;
  readonly datacenter?: string;
}

/** Starts the listener for the stand-ins. Returns its address, and what ends it with all servers. */
export async function startAgents(): Promise<{ address: string; close: () => Promise<void> }> {
  const nodes = new TestNodes([consulGateway, dnsGateway]);
  const listener = createServer({ allowHalfOpen: true }, (socket) => void serve(nodes, socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      listener.close();
      await nodes.close();
    },
  };
}

/** A connection sends the name of a configuration file; the server lives until its other side has ended. */
async function serve(nodes: TestNodes, socket: Socket): Promise<void> {
  socket.on("error", () => socket.destroy());
  const ended = new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
  const file = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(`${data}`.trim())));
  try {
    const server = await nodes.start(["meta", "data", "session"], configOf(JSON.parse(readFileSync(file, "utf8"))));
    await ended;
    await nodes.stop(server);
    socket.end();
  } catch (error) {
    socket.end(`${error}\n`);
  }
}

function configOf({ ports, node_name: consulNode, datacenter: consulDatacenter = "dc1" }: AgentFile) {
  const checks = { activeChecks: true, activeCheckAddresses: ["127.0.0.0/8"] };
  return { consulPort: ports.http, dnsPort: ports.dns, consulNode, consulDatacenter, ...checks };
}

// Clients of the tree in a process on a host of their own: `treeProcess.ts ROOT SEED COUNT HOST,HOST,…`. What they did
// is printed, a line each; they end when the input does.

import { Dice } from "../../../src/sim/random.ts";
import { TreeClient } from "./treeClient.ts";

const PORT = 2_181;

const [root = "", seed = "1", count = "1", hosts = ""] = process.argv.slice(2);
const clients = Array.from({ length: Number(count) }, (_, at) => {
  return new TreeClient({
    name: `t${seed}-${at + 1}`,
    root,
    addresses: hosts.split(",").map((host) => ({ host, port: PORT })),
    dice: new Dice(Number(seed) * 1_000 + at),
    record: (event) => console.log(JSON.stringify(event)),
  });
});
process.stdin.resume().once("end", () => {
  for (const client of clients) client.end();
});
await Promise.all(clients.map((client) => client.run()));

// An application with the client of Nacos for Node, by HTTP: registers itself, and prints the instances that it sees
// whenever they change, as a line of JSON. It stops in order when its input ends.
//
// Arguments: the folder of the client, the server's address, the application's own name and address, and the names of
// the services that it watches.

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [folder, server, name, address, ...watched] = process.argv.slice(2);
const { NacosNamingClient } = createRequire(join(folder, "package.json"))("nacos");
const [ip, port] = address.split(":");
const quiet = { ...console, info: () => {}, debug: () => {}, warn: () => {} };

async function main() {
  const client = new NacosNamingClient({ logger: quiet, serverList: server, namespace: "public" });
  await client.ready();
  await client.registerInstance(name, { ip, port: Number(port) });
  const seen = {};
  for (const service of watched) {
    client.subscribe(service, (hosts) => {
      seen[service] = hosts.map((host) => `${host.ip}:${host.port}`).sort();
      console.log(JSON.stringify(seen));
    });
  }
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));
  await client.deregisterInstance(name, { ip, port: Number(port) });
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

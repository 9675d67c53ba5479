// An application with the npm client of Eureka: registers itself, and prints the instances that it sees whenever they
// change, as a line of JSON. It stops in order when its input ends. It is found where the client is installed.
//
// Arguments: the folder with the client, the URL of the server, the application's own name, its address.

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [folder, url, name, address] = process.argv.slice(2);
const { Eureka } = createRequire(join(folder, "package.json"))("eureka-js-client");
const { hostname, port, pathname } = new URL(url);
const [host, ownPort] = address.split(":");

const client = new Eureka({
  instance: {
    app: name,
    instanceId: `${host}:${ownPort}`,
    hostName: host,
    ipAddr: host,
    port: { $: Number(ownPort), "@enabled": true },
    vipAddress: name,
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: 3 },
  },
  eureka: {
    host: hostname,
    port,
    servicePath: `${pathname}apps/`,
    heartbeatInterval: 1_000,
    registryFetchInterval: 500,
    useDelta: true,
  },
});
client.logger.level("error");

function seen() {
  const applications = Object.entries(client.cache.app).map(([application, instances]) => [
    application.toLowerCase(),
    instances.map((one) => `${one.ipAddr}:${one.port.$} ${one.status}`).sort(),
  ]);
  return Object.fromEntries(applications.filter(([, instances]) => instances.length > 0));
}

let shown = "";
client.start((error) => {
  if (error) throw error;
  setInterval(() => {
    const text = JSON.stringify(seen());
    if (text !== shown) console.log(text);
    shown = text;
  }, 100);
});
process.stdin.resume().once("end", () => client.stop(() => process.exit(0)));

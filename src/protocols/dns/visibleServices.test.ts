import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { clientId, nodeId } from "../../model/ids.ts";
import { packInstance } from "../../model/instance.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { anInstance } from "../../model/testing/instances.ts";
import { DnsServices } from "./services.ts";
import { visibleServices } from "./visibleServices.ts";

const HIDDEN = "hidden";

function servicesOf(lists: Readonly<Record<string, readonly string[]>>): DnsServices {
  const services = new DnsServices();
  const owner = { session: nodeId("s.1"), client: clientId("c") };
  const fixed = { version: 1n, registeredMs: 1, owner, zone: "", appName: "", attributes: new Map<string, string>() };
  for (const [text, hosts] of Object.entries(lists)) {
    const [name = "", namespace = ""] = text.split("@");
    const serviceKey = makeServiceKey({ name, namespace, group: "" });
    const publications = hosts.map((host) => {
      const payload = packInstance(anInstance({ host, port: 80 }));
      return [host, { serviceKey, registId: host, payload, ...fixed }] as const;
    });
    services.set(serviceKey, new Map(publications));
  }
  return services;
}

/** What an asker sees who may know nothing of the namespace "hidden". */
function seen(services: DnsServices) {
  return visibleServices(
    services,
    {
      refusal: (_, wish) =>
        "about" in wish && String(wish.about).includes(HIDDEN) ? fail("PERMISSION_NEEDED", {}) : undefined,
    },
    "10.9.9.9",
  );
}

test("a service that a policy hides is unknown, and so are its machines and addresses", () => {
  const visible = seen(servicesOf({ [`orders@${HIDDEN}`]: ["10.0.0.1"], stock: ["10.0.0.2"] }));
  assert.equal(visible.find("orders"), undefined);
  assert.equal(visible.node("10.0.0.1", 0), undefined);
  assert.equal(visible.at("10.0.0.1", 0), undefined);
  assert.equal(visible.find("stock")?.length, 1);
  assert.equal(visible.node("10.0.0.2", 0)?.name, "10.0.0.2");
  assert.equal(visible.at("10.0.0.2", 0)?.service, "stock");
});

test("a hidden service covers neither one of the same name nor one on the same machine", () => {
  const lists = { [`orders@${HIDDEN}`]: ["10.0.0.1"], orders: ["10.0.0.1", "10.0.0.3"] };
  const visible = seen(servicesOf(lists));
  assert.deepEqual(
    visible.find("orders")?.map(({ host }) => host),
    ["10.0.0.1", "10.0.0.3"],
  );
  assert.equal(visible.at("10.0.0.1", 0)?.service, "orders");
  assert.equal(visible.node("10.0.0.1", 0)?.name, "10.0.0.1");
});

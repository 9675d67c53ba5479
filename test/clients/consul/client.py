# Consul's client for Python (py-consul) against a started server: python client.py HTTP_PORT. Fails with what differs.

import sys
import consul

PORT = int(sys.argv[1])
c = consul.Consul(host="127.0.0.1", port=PORT)


def same(found, expected, what):
    assert found == expected, f"{what}: {found!r}, expected {expected!r}"


same(isinstance(c.status.leader(), str), True, "status.leader")
index, none = c.kv.get("py/none")
same(none, None, "a key that is not there")
same(c.kv.put("py/a", "one", flags=7), True, "kv.put")
index, entry = c.kv.get("py/a")
same((entry["Value"], entry["Flags"]), (b"one", 7), "kv.get")
same(c.kv.put("py/a", "two", cas=0), False, "kv.put with cas=0")
same(c.kv.put("py/a", "two", cas=entry["ModifyIndex"]), True, "kv.put with cas")
c.kv.put("py/b/c", "x")
same(c.kv.get("py/", keys=True, separator="/")[1], ["py/a", "py/b/"], "kv.get with keys")
same(len(c.kv.get("py/", recurse=True)[1]), 2, "kv.get with recurse")

session = c.session.create(name="py", ttl=10, lock_delay=1)
same(c.kv.put("py/lock", "me", acquire=session), True, "acquire")
same(c.kv.get("py/lock")[1]["Session"], session, "the lock's session")
same(c.session.renew(session)["ID"], session, "session.renew")
same(c.kv.put("py/lock", "me", release=session), True, "release")
same(c.session.destroy(session), True, "session.destroy")
same([s for s in c.session.list()[1] if s["ID"] == session], [], "session.list")
same(c.kv.delete("py/", recurse=True), True, "kv.delete")

same(
    c.agent.service.register("py-web", service_id="py-1", port=80, tags=["a"], check=consul.Check.ttl("30s")),
    True,
    "agent.service.register",
)
index, rows = c.health.service("py-web", passing=True)
same(rows, [], "a service whose check has not passed")
same(c.agent.check.ttl_pass("service:py-1"), True, "agent.check.ttl_pass")
index, rows = c.health.service("py-web", passing=True)
same([(r["Service"]["ID"], r["Service"]["Tags"], r["Service"]["Port"]) for r in rows], [("py-1", ["a"], 80)], "health")
same(c.catalog.services()[1]["py-web"], ["a"], "catalog.services")
# The status of a check and the version of the list may come one after the other.
for _ in range(5):
    before, (index, again) = index, c.health.service("py-web", passing=True, index=index, wait="1s")
    if index == before:
        break
same(index, before, "the index after a wait without a change")
same(len(again), 1, "the rows after a wait without a change")
same(c.agent.service.deregister("py-1"), True, "agent.service.deregister")
same(c.catalog.service("py-web")[1], [], "catalog.service")
print("py-consul: all as expected")

"""A pytest plugin by which py-consul's own tests run against Roster: each test has a server of its own.

It takes the place of the suite's conftest.py, which starts containers of Consul. ROSTER_AGENTS is the address at which
agents.ts starts servers, ROSTER_LEFT_OUT has the tests that are left out. Load it with `-p roster_consul`.
"""

import collections
import json
import os
import re
import socket
import time
import urllib.error
import urllib.request

import consul.check
import pytest

HOST = "127.0.0.1"
READY_SECONDS = 60

Instance = collections.namedtuple("Instance", ["port", "version"])


def pytest_collection_modifyitems(config, items):
    left_out = set(os.environ["ROSTER_LEFT_OUT"].split())
    names = {item: "::".join(item.nodeid.split("::")[1:]) for item in items}
    unknown = left_out - set(names.values())
    if unknown:
        raise pytest.UsageError(f"tests that the suite does not have: {sorted(unknown)}")
    deselected = [item for item in items if names[item] in left_out]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if names[item] not in left_out]


def free_port():
    with socket.socket() as server:
        server.bind((HOST, 0))
        return server.getsockname()[1]


def version_of(port):
    """Waits for the server. Returns the version of Consul that it names."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/v1/agent/self") as answer:
                return json.load(answer)["Config"]["Version"]
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


@pytest.fixture
def consul_instance(tmp_path):
    port = free_port()
    file = tmp_path / "agent.json"
    file.write_text(json.dumps({"ports": {"http": port, "dns": 0}, "node_name": "roster"}))
    host, agents = os.environ["ROSTER_AGENTS"].split(":")
    with socket.create_connection((host, int(agents))) as agent:
        agent.sendall(f"{file}\n".encode())
        yield Instance(port, version_of(port))
        agent.shutdown(socket.SHUT_WR)
        # It closes when the server has ended; before that it says what was wrong.
        said = agent.recv(4096)
        assert not said, said


@pytest.fixture
def consul_port(consul_instance):
    return consul_instance.port, consul_instance.version


@pytest.fixture
def acl_consul_instance(consul_instance):
    return consul_instance, "unknown"


@pytest.fixture(autouse=True)
def checks_of_the_agent(request, monkeypatch):
    """Checks look at the agent itself at 8500, the port that it has in its container. Ours has another one."""
    if not {"consul_port", "consul_instance"} & set(request.fixturenames):
        return
    agent = f"{HOST}:{request.getfixturevalue('consul_instance').port}/v1/status/leader"
    http = consul.check.Check.http

    def at_agent(url, *args, **options):
        return http(re.sub(r"(127\.0\.0\.1|localhost):8500", agent, url), *args, **options)

    monkeypatch.setattr(consul.check.Check, "http", at_agent)

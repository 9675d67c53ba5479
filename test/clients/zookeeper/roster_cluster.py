"""A pytest plugin by which kazoo's own tests run against a cluster of Roster: three sessions instead of three servers.

It takes the place of the part of kazoo that starts ZooKeeper. TESTED_MAIN is the program, TESTED_DIR a directory for
its data. Load it with `-p roster_cluster`.
"""

import atexit
import os
import re
import socket
import subprocess
import sys
import time
import types

# kazoo imports them for certificates of servers of its own, which it does not start here.
for unused in ("OpenSSL", "jks"):
    sys.modules.setdefault(unused, types.ModuleType(unused))

import kazoo.testing.harness  # noqa: E402

HOST = "127.0.0.1"
# The password of kazoo's tests for the super user is "test".
SUPER = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="
# Any free one, for whatever else a node serves.
OTHER_PORTS = set(re.findall(r"--([a-z-]+-port)\b", os.environ["TESTED_HELP"])) - {"node-port"}


def free_port():
    with socket.socket() as server:
        server.bind((HOST, 0))
        return server.getsockname()[1]


class Node:
    def __init__(self, name, flags):
        self.name = name
        self.flags = flags
        self.process = None

    def run(self):
        if self.process is not None:
            return
        directory = os.path.join(os.environ["TESTED_DIR"], self.name)
        os.makedirs(directory, exist_ok=True)
        ports = {port: 0 for port in OTHER_PORTS}
        flags = {"data-dir": directory, "log-level": "debug", **ports, **self.flags}
        command = [os.environ["TESTED_NODE"], os.environ["TESTED_MAIN"], "server"]
        command += [f"--{key}={value}" for key, value in flags.items()]
        log = open(os.path.join(directory, "log"), "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


class Server(Node):
    """A session, with the words that kazoo's tests use for a server."""

    def __init__(self, name, meta_port):
        self.client_port = free_port()
        clients = {
            "roles": "session",
            "zookeeper-port": self.client_port,
            "zookeeper-words": "*",
            "zookeeper-super-digest": SUPER,
            "meta-addresses": f"{HOST}:{meta_port}",
        }
        super().__init__(name, clients)

    @property
    def address(self):
        return f"{HOST}:{self.client_port}"

    @property
    def secure_address(self):
        return self.address

    @property
    def running(self):
        return self.process is not None

    def run(self):
        super().run()
        self.wait_until_serving()

    def stop(self):
        self.end()

    def wait_until_serving(self):
        for _ in range(300):
            if self.process.poll() is not None:
                print(f"{self.name} has ended: see its log", flush=True)
                os._exit(1)
            try:
                with socket.create_connection((HOST, self.client_port), 1) as client:
                    client.sendall(b"ruok")
                    if client.recv(4) == b"imok":
                        return
            except OSError:
                pass
            time.sleep(0.1)
        raise Exception(f"{self.name} does not serve")


class Cluster:
    def __init__(self):
        meta_port = free_port()
        self.base = Node(
            "base", {"roles": "meta,data", "node-port": meta_port, "meta-addresses": f"{HOST}:{meta_port}"}
        )
        self.servers = [Server(f"session-{at}", meta_port) for at in range(3)]

    def __getitem__(self, at):
        return self.servers[at]

    def __iter__(self):
        return iter(self.servers)

    def start(self):
        self.base.run()
        for server in self.servers:
            server.run()

    def stop(self):
        for server in self.servers:
            server.stop()

    def terminate(self):
        """The next class of tests goes on with the same cluster: each test has a tree of its own."""

    def get_logs(self):
        return []

    def end(self):
        self.stop()
        self.base.end()


CLUSTER = Cluster()
atexit.register(CLUSTER.end)
kazoo.testing.harness.get_global_cluster = lambda: CLUSTER

"""Configuration with the Python client of Nacos over HTTP (nacos-sdk-python 1). Argument: the server's address."""

import asyncio
import logging
import os
import sys
import tempfile
import time

import nacos
from cases import Cases, eventually_now

GROUP = "DEFAULT_GROUP"


def open_client(address, namespace=None):
    client = nacos.NacosClient(address, namespace=namespace, logDir=tempfile.mkdtemp(prefix="nacos-python-"))
    client.set_options(snapshot_base=tempfile.mkdtemp(prefix="nacos-python-"), pulling_timeout=10)
    logging.disable(logging.CRITICAL)
    return client


async def main(address):
    cases = Cases("Python by HTTP")
    client = open_client(address)
    other = open_client(address)

    def publish(case):
        assert client.publish_config(case, GROUP, "v1")
        assert other.get_config(case, GROUP, no_snapshot=True) == "v1"
        assert client.publish_config(case, GROUP, "größer ✓ \U0001F490 a+b&c=d%20", config_type="json")
        assert other.get_config(case, GROUP, no_snapshot=True) == "größer ✓ \U0001F490 a+b&c=d%20"

    def remove(case):
        assert client.publish_config(case, GROUP, "v1")
        assert client.remove_config(case, GROUP)
        assert other.get_config(case, GROUP, no_snapshot=True) is None

    def missing(case):
        assert client.get_config(case, GROUP, no_snapshot=True) is None
        assert client.remove_config(case, GROUP)

    def namespaces(case):
        own = open_client(address, "python-tests")
        assert own.publish_config(case, GROUP, "own")
        assert own.get_config(case, GROUP, no_snapshot=True) == "own"
        assert client.get_config(case, GROUP, no_snapshot=True) is None

    def listed(case):
        for end in ("a", "b", "c"):
            assert client.publish_config(f"{case}-{end}", "listed", end)
        page = client.get_configs(no_snapshot=True, group="listed", page_size=2)
        assert len(page["pageItems"]) == 2, page
        assert page["totalCount"] >= 3, page

    def watch(case):
        told = []
        assert client.publish_config(case, GROUP, "v1")
        other.add_config_watcher(case, GROUP, lambda event: told.append(event["content"]))
        # A watcher is told what comes after it.
        time.sleep(2)
        assert client.publish_config(case, GROUP, "v2")
        eventually_now(lambda: told[-1:] == ["v2"], lambda: told)
        assert client.publish_config(case, GROUP, "v3")
        eventually_now(lambda: told[-1:] == ["v3"], lambda: told)

    await cases.run("what is published is read by another client", publish)
    await cases.run("what is removed is gone", remove)
    await cases.run("what is not there is none", missing)
    await cases.run("namespaces are told apart", namespaces)
    await cases.run("configurations of a group are listed in pages", listed)
    await cases.run("a watcher is told each change by a long poll", watch)
    cases.end()


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp(prefix="nacos-python-"))
    asyncio.run(main(sys.argv[1]))

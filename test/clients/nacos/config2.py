"""Configuration with the Python client of Nacos over gRPC (nacos-sdk-python 2 and 3). Argument: the server's address."""

import asyncio
import hashlib
import logging
import os
import sys
import tempfile

from cases import Cases, eventually
from v2.nacos import ClientConfigBuilder, ConfigParam, NacosConfigService

GROUP = "DEFAULT_GROUP"


async def open_client(address, namespace=""):
    folder = tempfile.mkdtemp(prefix="nacos-python-")
    builder = ClientConfigBuilder().server_address(address).log_level(logging.CRITICAL).log_dir(folder)
    config = builder.cache_dir(folder).namespace_id(namespace).build()
    return await NacosConfigService.create_config_service(config)


def named(data_id, **fields):
    return ConfigParam(data_id=data_id, group=GROUP, **fields)


async def main(address):
    cases = Cases("Python by gRPC")
    client = await open_client(address)
    other = await open_client(address)

    async def publish(case):
        assert await client.publish_config(named(case, content="v1"))
        assert await other.get_config(named(case)) == "v1"
        assert await client.publish_config(named(case, content="größer ✓ \U0001F490", type="json"))
        assert await other.get_config(named(case)) == "größer ✓ \U0001F490"

    async def remove(case):
        assert await client.publish_config(named(case, content="v1"))
        assert await client.remove_config(named(case))
        assert not await other.get_config(named(case))

    async def missing(case):
        assert not await client.get_config(named(case))

    async def cas(case):
        assert await client.publish_config(named(case, content="v1"))
        known = hashlib.md5(b"v1").hexdigest()
        assert await client.publish_config(named(case, content="v2", cas_md5=known))
        refused = False
        try:
            refused = not await client.publish_config(named(case, content="v3", cas_md5=known))
        except Exception:
            refused = True
        assert refused
        assert await other.get_config(named(case)) == "v2"

    async def listen(case):
        told = []

        async def heard(_tenant, _group, _data_id, content):
            told.append(content)

        await other.add_listener(case, GROUP, heard)
        await asyncio.sleep(1)
        assert await client.publish_config(named(case, content="v1"))
        await eventually(lambda: told[-1:] == ["v1"], lambda: told)
        assert await client.publish_config(named(case, content="v2"))
        await eventually(lambda: told[-1:] == ["v2"], lambda: told)
        await other.remove_listener(case, GROUP, heard)

    async def namespaces(case):
        own = await open_client(address, "python-tests")
        assert await own.publish_config(named(case, content="own"))
        assert await own.get_config(named(case)) == "own"
        assert not await client.get_config(named(case))
        await own.shutdown()

    async def tags(case):
        assert await client.publish_config(named(case, content="formal"))
        assert await client.publish_config(named(case, content="tagged", tag="blue"))
        assert await other.get_config(named(case)) == "formal"

    async def health(_case):
        assert await client.server_health()

    await cases.run("what is published is read by another client", publish)
    await cases.run("what is removed is gone", remove)
    await cases.run("what is not there is empty", missing)
    await cases.run("the digest decides who of two writers is first", cas)
    await cases.run("a listener is told each change", listen)
    await cases.run("namespaces are told apart", namespaces)
    await cases.run("a release for a tag is not shown to others", tags)
    await cases.run("the server says that it is healthy", health)
    await client.shutdown()
    await other.shutdown()
    cases.end()


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp(prefix="nacos-python-"))
    asyncio.run(main(sys.argv[1]))

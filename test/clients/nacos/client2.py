"""An application with the second generation of Nacos' client for Python, by gRPC: registers itself, and prints the
instances that it sees whenever they change, as a line of JSON. It stops in order when its input ends.

Arguments: the server's address, the application's own name and address, and the names of the services that it watches.
"""

import asyncio
import json
import logging
import os
import sys
import tempfile

from v2.nacos import (
    ClientConfigBuilder,
    DeregisterInstanceParam,
    NacosNamingService,
    RegisterInstanceParam,
    SubscribeServiceParam,
)


async def main(server, name, address, *watched):
    host, port = address.split(":")
    folder = tempfile.mkdtemp(prefix="nacos-python-")
    builder = ClientConfigBuilder().server_address(server).log_level(logging.ERROR)
    # It keeps what it has seen in the home directory otherwise, and is not told again what is the same.
    config = builder.log_dir(folder).cache_dir(folder).load_cache_at_start(False).build()
    client = await NacosNamingService.create_naming_service(config)
    await client.register_instance(
        RegisterInstanceParam(service_name=name, group_name="DEFAULT_GROUP", ip=host, port=int(port), ephemeral=True)
    )
    seen = {}
    for service in watched:

        async def told(hosts, service=service):
            seen[service] = sorted(f"{one.ip}:{one.port}" for one in hosts)
            print(json.dumps(seen), flush=True)

        await client.subscribe(
            SubscribeServiceParam(service_name=service, group_name="DEFAULT_GROUP", subscribe_callback=told)
        )
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await client.deregister_instance(
        DeregisterInstanceParam(service_name=name, group_name="DEFAULT_GROUP", ip=host, port=int(port))
    )
    os._exit(0)


asyncio.run(main(*sys.argv[1:]))

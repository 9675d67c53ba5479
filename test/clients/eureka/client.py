"""An application with the Python client of Eureka: registers itself, and prints the instances that it sees whenever
they change, as a line of JSON. It stops in order when its input ends.

Arguments: the URL of the server, the application's own name, its address.
"""

import asyncio
import json
import sys

import py_eureka_client.eureka_client as eureka_client

RENEWAL_S = 1
DURATION_S = 3


def seen_by(client):
    return {
        application.name.lower(): sorted(f"{one.ipAddr}:{one.port.port} {one.status}" for one in application.instances)
        for application in client.applications.applications
        if len(application.instances) > 0
    }


async def main(url, name, address):
    host, port = address.split(":")
    client = await eureka_client.init_async(
        eureka_server=url,
        app_name=name,
        instance_host=host,
        instance_ip=host,
        instance_port=int(port),
        renewal_interval_in_secs=RENEWAL_S,
        duration_in_secs=DURATION_S,
    )
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    shown = None
    while not ended.done():
        seen = seen_by(client)
        if seen != shown:
            print(json.dumps(seen), flush=True)
        shown = seen
        await asyncio.wait([ended], timeout=0.1)
    await eureka_client.stop_async()


asyncio.run(main(*sys.argv[1:]))

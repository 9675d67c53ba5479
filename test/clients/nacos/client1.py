"""An application with the first generation of Nacos' client for Python, by HTTP: registers itself with heartbeats, and
prints the instances that it sees whenever they change, as a line of JSON. It stops in order when its input ends.

Arguments: the server's address, the application's own name and address, and the names of the services that it watches.
"""

import json
import sys
import threading

import nacos

HEARTBEAT_S = 5


def main(server, name, address, *watched):
    host, port = address.split(":")
    client = nacos.NacosClient(server, namespace="public")
    client.add_naming_instance(name, host, port, cluster_name="DEFAULT", heartbeat_interval=HEARTBEAT_S)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    shown = None
    while not ended.wait(0.2):
        seen = {}
        for service in watched:
            hosts = client.list_naming_instance(service)["hosts"]
            seen[service] = sorted(f"{one['ip']}:{one['port']}" for one in hosts)
        if seen != shown:
            print(json.dumps(seen), flush=True)
        shown = seen
    client.remove_naming_instance(name, host, port)


main(*sys.argv[1:])

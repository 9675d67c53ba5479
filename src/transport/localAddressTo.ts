// The address of this machine that another one would see.

import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";

/**
 * The local address on the way to a host; undefined if there is no way, or no such host. No packet is sent: a datagram
 * socket gets its own address when it is told its peer's.
 */
export async function localAddressTo(host: string): Promise<string | undefined> {
  let family: number;
  let address: string;
  try {
    ({ family, address } = await lookup(host));
  } catch {
    // The name is not known yet; the caller tries another one, or gives up with a message of its own.
    return undefined;
  }
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const done = (found: string | undefined) => {
      socket.close();
      resolve(found);
    };
    // A callback of `connect` would get the error instead of the event.
    socket.once("error", () => done(undefined));
    socket.once("connect", () => done(socket.address().address));
    socket.connect(ANY_PORT, address);
  });
}

// Nothing is sent there; any port will do.
const ANY_PORT = 9;

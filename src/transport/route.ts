// Which of this machine's addresses another one would see.

import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";

/**
 * The local address on the way to a host, or nothing if there is no way, or no such host. No packet is sent: a
 * datagram socket is given its own address when it is told its peer's.
 */
export async function localAddressTo(host: string): Promise<string | undefined> {
  let family: number;
  let address: string;
  try {
    ({ family, address } = await lookup(host));
  } catch {
    // A name that is not known yet; the caller asks for another one, or gives up in words of its own.
    return undefined;
  }
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const done = (found: string | undefined) => {
      socket.close();
      resolve(found);
    };
    // A callback of `connect` would be given the error too, in place of the event.
    socket.once("error", () => done(undefined));
    socket.once("connect", () => done(socket.address().address));
    socket.connect(ANY_PORT, address);
  });
}

// Nothing is sent there; it only has to be one.
const ANY_PORT = 9;

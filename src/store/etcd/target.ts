// Reads an operator's `store-url` for etcd. The URL may hold a password, so no error repeats it.

import { readFileSync } from "node:fs";
import { fail } from "../../base/errors.ts";

/** The members of an etcd cluster, and the way to connect. */
export interface EtcdTarget {
  /** `http://host:port`, in the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** The name in errors and logs: the hosts and the prefix. */
  readonly server: string;
  /** The beginning of our keys there, with slashes around it. */
  readonly prefix: string;
  readonly login: { readonly name: string; readonly password: string } | undefined;
  /** Whether we compact the history, which is that of all who use this etcd. */
  readonly compacts: boolean;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

const PORT = 2_379;
/** The form of a URL, for errors and for the reference. */
export const ETCD_URL_FORM =
  "etcd://[user:password@]host:port[,host:port…][/prefix][?cacert=FILE&cert=FILE&key=FILE&compact=on]";
const ENDPOINTS_MAX = 9;

/** Checks it as far as possible without the server; CONFIG_INVALID names the expected form. */
export function etcdTargetOf(url: string): EtcdTarget {
  const parts = /^(etcds?):\/\/(?:([^@/]*)@)?([^/?@]+)(\/[^?]*)?(?:\?(.*))?$/.exec(url);
  if (parts === null) throw invalid();
  const [, scheme, login, hosts = "", path = "/roster", query = ""] = parts;
  const protocol = scheme === "etcds" ? "https" : "http";
  const names = hosts.split(",");
  if (names.length > ENDPOINTS_MAX) throw invalid();
  const endpoints = names.map((host) => {
    const parsed = URL.parse(`${protocol}://${host}`);
    if (host === "" || parsed === null || parsed.pathname !== "/" || parsed.search !== "") throw invalid();
    return `${protocol}://${parsed.hostname}:${parsed.port || defaultPort(host, protocol)}`;
  });
  const name = path.replace(/^\/+|\/+$/g, "");
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name === "" ? "roster" : name)) throw invalid();
  const prefix = `/${name === "" ? "roster" : name}/`;
  const parameters = new URLSearchParams(query);
  const compact = parameters.get("compact");
  if (compact !== null && compact !== "on" && compact !== "off") throw invalid();
  parameters.delete("compact");
  return {
    compacts: compact === "on",
    endpoints,
    server: `${names.join(",")}${prefix.slice(0, -1)}`,
    prefix,
    login: login === undefined ? undefined : loginOf(login),
    tls: filesOf(parameters, protocol),
  };
}

// URL drops the port that is the protocol's own.
function defaultPort(host: string, protocol: string): string {
  const own = protocol === "https" ? "443" : "80";
  return host.endsWith(`:${own}`) ? own : String(PORT);
}

function loginOf(text: string): { name: string; password: string } {
  const at = text.indexOf(":");
  try {
    const [name, password] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)].map(decodeURIComponent);
    if (name === undefined || name === "" || password === undefined) throw invalid();
    return { name, password };
  } catch {
    throw invalid();
  }
}

function filesOf(query: URLSearchParams, protocol: string): EtcdTarget["tls"] {
  const tls: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const [name, file] of query) {
    const key = TLS_FILES[name];
    if (key === undefined || protocol !== "https") throw invalid();
    try {
      tls[key] = readFileSync(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw fail("CONFIG_INVALID", { key: "store-url", parameter: name, reason });
    }
  }
  return tls;
}

const TLS_FILES: Readonly<Record<string, "ca" | "cert" | "key">> = { cacert: "ca", cert: "cert", key: "key" };

function invalid() {
  return fail("CONFIG_INVALID", { key: "store-url", expected: ETCD_URL_FORM });
}

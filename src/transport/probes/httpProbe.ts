import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import type { HttpProbe, ProbeOutcome } from "../../base/probes.ts";
import { failureOf, type ProbeOne } from "./probeOne.ts";

const HEADER_BYTES_MAX = 16 * 1024;

/**
 * Makes a request and reads its status. Redirects are not followed, the body is not read, and there is no agent:
 * nothing of this process's own (cookies, credentials, proxies, kept connections) goes with it.
 */
export const probeHttp: ProbeOne<HttpProbe> = (probe, { address, family }, { done }) => {
  const { host, port, isTls, isTlsUnchecked, method, path, headers } = probe;
  const shown = host.includes(":") ? `[${host}]` : host;
  const isUsual = port === (isTls ? 443 : 80);
  const what = `${isTls ? "HTTPS" : "HTTP"} ${method} ${shown}:${port}`;
  const own = {
    host: isUsual ? shown : `${shown}:${port}`,
    "user-agent": "roster-check",
    accept: "*/*",
    connection: "close",
  };
  const options = {
    ...{ host: address, port, family, method, path, agent: false as const },
    headers: { ...own, ...Object.fromEntries(headers) },
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  // The name is that of the certificate; an address has no SNI.
  const tls = { servername: isIP(host) === 0 ? host : "", rejectUnauthorized: !isTlsUnchecked };
  const sent = isTls ? tlsRequest({ ...options, ...tls }) : plainRequest(options);
  sent.on("response", (response) => {
    done(outcomeOf(what, response.statusCode ?? 0, probe.expectedStatus));
    response.destroy();
  });
  sent.on("error", (error) => done(failureOf(what, error)));
  sent.end();
  return () => void sent.destroy();
};

function outcomeOf(what: string, status: number, expected: number | undefined): ProbeOutcome {
  const output = `${what}: ${status}`;
  if (expected !== undefined) {
    if (status === expected) return { result: "passing", output };
    return { result: "critical", output: `${output}, and not ${expected}` };
  }
  if (status >= 200 && status < 300) return { result: "passing", output };
  // As Consul has it: the service is there, and asks to be left alone.
  return { result: status === 429 ? "warning" : "critical", output };
}

// How clients of Eureka, Nacos and Consul say by HTTP what all of them say: an instance is there, is still there, is
// gone; and which ones can be called.

/** An instance of a service. */
export interface HttpInstance {
  readonly service: string;
  readonly ip: string;
  readonly port: number;
}

/** A request at a session: a path, and a body if there is one. */
export interface HttpCall {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly json?: object;
  readonly form?: Readonly<Record<string, string>>;
}

export interface HttpProtocol {
  readonly name: string;
  readonly port: number;
  readonly register: (instance: HttpInstance) => HttpCall;
  readonly beat: (instance: HttpInstance) => HttpCall;
  /** Whether the answer to a heartbeat says that the instance has to be registered again. */
  readonly isUnknown: (status: number, text: string) => boolean;
  readonly deregister: (instance: HttpInstance) => HttpCall;
  readonly list: (service: string) => HttpCall;
  /** The addresses that a caller would take, `ip:port`, from the answer to `list`; undefined if it is none to go by. */
  readonly callable: (status: number, text: string) => readonly string[] | undefined;
}

/** An instance whose client is silent is gone after this. */
export const LEASE_MS = 9_000;
const LEASE_SECONDS = LEASE_MS / 1_000;

export const HTTP_PROTOCOLS: readonly HttpProtocol[] = [
  {
    name: "eureka",
    port: 8_761,
    register: (instance) => {
      const { service, ip, port } = instance;
      const named = { instanceId: idOf(instance), app: service.toUpperCase(), hostName: ip, ipAddr: ip };
      const dataCenterInfo = { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" };
      const leaseInfo = { renewalIntervalInSecs: 1, durationInSecs: LEASE_SECONDS };
      const rest = {
        status: "UP",
        port: { $: port, "@enabled": "true" },
        vipAddress: service,
        dataCenterInfo,
        leaseInfo,
      };
      return { method: "POST", path: `/eureka/apps/${service}`, json: { instance: { ...named, ...rest } } };
    },
    beat: (instance) => ({ method: "PUT", path: `${eurekaPath(instance)}?status=UP` }),
    isUnknown: (status) => status === 404,
    deregister: (instance) => ({ method: "DELETE", path: eurekaPath(instance) }),
    list: (service) => ({ method: "GET", path: `/eureka/apps/${service}` }),
    callable: (status, text) => {
      if (status === 404) return [];
      if (status !== 200) return undefined;
      const { application } = JSON.parse(text);
      return application.instance
        .filter(({ status: word }: { status: string }) => word === "UP")
        .map(({ ipAddr, port }: { ipAddr: string; port: { $: number } }) => `${ipAddr}:${port.$}`);
    },
  },
  {
    name: "nacos",
    port: 8_848,
    register: ({ service, ip, port }) => {
      const times = { "preserved.heart.beat.timeout": LEASE_MS, "preserved.ip.delete.timeout": LEASE_MS };
      const form = { serviceName: service, ip, port: String(port), ephemeral: "true", metadata: JSON.stringify(times) };
      return { method: "POST", path: "/nacos/v1/ns/instance", form };
    },
    beat: ({ service, ip, port }) => ({
      method: "PUT",
      path: `/nacos/v1/ns/instance/beat?${new URLSearchParams({ serviceName: service, ip, port: String(port) })}`,
    }),
    isUnknown: (status, text) => status === 200 && JSON.parse(text).code === 20_404,
    deregister: ({ service, ip, port }) => ({
      method: "DELETE",
      path: `/nacos/v1/ns/instance?${new URLSearchParams({ serviceName: service, ip, port: String(port) })}`,
    }),
    list: (service) => ({ method: "GET", path: `/nacos/v1/ns/instance/list?serviceName=${service}&healthyOnly=true` }),
    callable: (status, text) => {
      if (status !== 200) return undefined;
      return JSON.parse(text).hosts.map(({ ip, port }: { ip: string; port: number }) => `${ip}:${port}`);
    },
  },
  {
    name: "consul",
    port: 8_500,
    register: (instance) => {
      const { service, ip, port } = instance;
      const Check = { TTL: `${LEASE_SECONDS}s`, Status: "passing" };
      const json = { ID: idOf(instance), Name: service, Address: ip, Port: port, Check };
      return { method: "PUT", path: "/v1/agent/service/register", json };
    },
    beat: (instance) => ({ method: "PUT", path: `/v1/agent/check/pass/service:${encodeURIComponent(idOf(instance))}` }),
    isUnknown: (status) => status === 404,
    deregister: (instance) => ({
      method: "PUT",
      path: `/v1/agent/service/deregister/${encodeURIComponent(idOf(instance))}`,
    }),
    list: (service) => ({ method: "GET", path: `/v1/health/service/${service}?passing` }),
    callable: (status, text) => {
      if (status !== 200) return undefined;
      return JSON.parse(text).map(
        ({ Service: { Address, Port } }: { Service: { Address: string; Port: number } }) => `${Address}:${Port}`,
      );
    },
  },
];

function idOf({ service, ip, port }: HttpInstance): string {
  return `${ip}:${service}:${port}`;
}

function eurekaPath(instance: HttpInstance): string {
  return `/eureka/apps/${instance.service}/${idOf(instance)}`;
}

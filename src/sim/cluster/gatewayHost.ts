// The HTTP gateways in a simulated process. A request of a client is an exchange that comes to the gateway's own route,
// as the server hands it over; what is between a client and its socket is left out.

import type { Budget } from "../../base/budget.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { HttpExchange, HttpRoute, HttpRouteTable } from "../../base/http.ts";
import { eurekaRoutes } from "../../protocols/eureka/gatewayCode.ts";
import { OPEN_ACCESS } from "../../protocols/kit/clientAccess.ts";
import type { OpenGateway } from "../../protocols/kit/gateway.ts";
import type { Registry } from "../../registry/registry.ts";
import { MARKING } from "../marking.ts";
import { bug, type SimEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";

/** A request of a client. */
export interface HttpRequest {
  /** The method and the path of a route: `GET /eureka/apps/:app`. */
  readonly route: string;
  readonly params?: HttpExchange["params"];
  readonly query?: HttpExchange["query"];
  readonly headers?: HttpExchange["headers"];
  readonly body?: string;
  /** The IP address of the client. */
  readonly from: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

interface Parts {
  readonly registry: Registry;
  readonly budget: Budget;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8");

export class GatewayHost {
  /** For the regular checks of the process. */
  readonly gateways: readonly OpenGateway[];
  readonly #environment: SimEnvironment;
  readonly #process: SimProcess;
  readonly #routes = new Map<string, { readonly route: HttpRoute; readonly table: HttpRouteTable }>();

  constructor(environment: SimEnvironment, process: SimProcess, { registry, budget }: Parts) {
    this.#environment = environment;
    this.#process = process;
    const { zone } = environment.plan.config;
    const { timers, clock } = process.time;
    const common = { registry, budget, access: OPEN_ACCESS, compression: MARKING, node: clock, config: { zone } };
    const later = (run: () => void) => void timers.after(0, run);
    const readXml = () => {
      throw fail("HTTP_BAD_REQUEST", { expected: "JSON: no client here writes XML" });
    };
    const eureka = eurekaRoutes({ ...common, later, readXml });
    this.gateways = [{ listeners: [], check: eureka.check }];
    for (const table of [eureka.table]) {
      for (const route of table.routes) this.#routes.set(`${route.method} ${route.path}`, { route, table });
    }
  }

  /**
   * Hands a request over, in a turn of the process. `answered` is called once, perhaps within a step of the registry.
   */
  ask(request: HttpRequest, answered: (answer: HttpAnswer) => void): void {
    const found = this.#routes.get(request.route);
    if (found === undefined) return bug(this.#environment, this.#process.id, `there is no route ${request.route}`);
    const { route, table } = found;
    const respond: HttpExchange["respond"] = ({ status, body }) => {
      // The process was killed in the middle of this step.
      if (!this.#process.isRunning) return;
      answered({ status, text: typeof body === "string" ? body : DECODER.decode(body) });
    };
    const refuse = (error: unknown) => {
      if (!(error instanceof RegistryError)) return bug(this.#environment, this.#process.id, error);
      respond(table.refusal(error.message, error.retry ? 503 : 400));
    };
    const { params = {}, query = {}, headers = {}, body, from } = request;
    try {
      route.handle({
        ...{ method: route.method, path: route.path, params, query, headers },
        body: body === undefined ? undefined : ENCODER.encode(body),
        ...{ localAddress: "10.9.1.1", remoteAddress: from, respond, refuse, onGone: () => undefined },
      });
    } catch (error) {
      refuse(error);
    }
  }
}

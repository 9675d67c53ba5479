// Refusals in Consul's form: a status, and a plain text.

import { RegistryError } from "../../base/errors.ts";
import { type HttpExchange, type HttpResponse, textResponse } from "../../base/http.ts";

/** A refusal with a status of Consul's own. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Makes the refusal to throw. */
export function consulRefusal(status: number, message: string): ConsulError {
  return new ConsulError(status, message);
}

/** The form of the listener's refusals. Consul answers 500 where a repetition may help. */
export function refusalResponse(message: string, status: number): HttpResponse {
  return textResponse(message, status === 503 ? 500 : status);
}

/** The answer to a method that a path does not have, and to the question for those that it has. */
export function wrongMethodResponse(method: string, methods: readonly string[]): HttpResponse {
  const isQuestion = method === "OPTIONS";
  const { status, body } = isQuestion
    ? { status: 200, body: "" }
    : { status: 405, body: `method ${method} not allowed` };
  const allow = ["OPTIONS", ...methods].join(",");
  return { status, headers: { "content-type": "text/plain; charset=utf-8", allow }, body };
}

/** Answers with an error, of Consul's own or of the registry. */
export function refuseWith(exchange: HttpExchange, error: unknown): void {
  if (error instanceof ConsulError) return exchange.respond(textResponse(error.message, error.status));
  if (error instanceof RegistryError) return exchange.refuse(error);
  if (!(error instanceof Error)) throw error;
  exchange.refuse(error);
}

/** Runs a handler; what it throws is the refusal of its request. */
export function refusingIn(exchange: HttpExchange, run: () => void): void {
  try {
    run();
  } catch (error) {
    refuseWith(exchange, error);
  }
}

import { type HttpResponse, jsonResponse } from "../../../base/http.ts";

/** SOFARegistry's form of a refusal. */
export function refusal(message: string, status: number): HttpResponse {
  return jsonResponse({ success: false, message }, status);
}

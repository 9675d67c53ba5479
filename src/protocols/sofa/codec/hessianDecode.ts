import { HessianReader } from "../../../encoding/hessian/reader.ts";
import { type ObjectShape, ShapeTable } from "../../../encoding/hessian/shape.ts";
import type { HessianDialect } from "../../../encoding/hessian/tokenReader.ts";
import { DATA_BOX, HESSIAN_CLASSES, PUSHED_DATA, STACK_TRACE_ELEMENT_CLASS } from "./hessianClasses.ts";
import { dataBox, scopeEnum } from "./hessianFields.ts";
import { multiReceivedData, multiSegmentData, receivedConfigData, receivedData } from "./hessianPushes.ts";
import {
  configuratorRegister,
  publisherRegister,
  registerResponse,
  result,
  rpcServerException,
  subscriberRegister,
  syncConfigRequest,
  syncConfigResponse,
} from "./hessianRegisters.ts";
import type { ServiceMessage } from "./messages.ts";
import { REGISTER_LIMITS } from "./registerLimits.ts";

const REGISTERS: readonly ObjectShape<ServiceMessage>[] = [publisherRegister, subscriberRegister, configuratorRegister];

const MESSAGES: readonly ObjectShape<ServiceMessage>[] = [
  ...REGISTERS,
  syncConfigRequest,
  registerResponse,
  syncConfigResponse,
  result,
  receivedData,
  receivedConfigData,
  multiReceivedData,
  rpcServerException,
];

const SHAPES = new Map(MESSAGES.map((shape) => [shape.className, shape]));

// Messages from strangers are held to the needs of legal ones; only we send the large lists.
const VALUES_MAX = new Map<ObjectShape<ServiceMessage>, number>(
  REGISTERS.map((shape) => [shape, REGISTER_LIMITS.valuesMax]),
);

const USUAL = [...Object.values(HESSIAN_CLASSES), DATA_BOX, PUSHED_DATA];

const CLASSES = new ShapeTable([...MESSAGES, dataBox, scopeEnum, multiSegmentData], [STACK_TRACE_ELEMENT_CLASS], USUAL);

/** Decodes a message; undefined if its class does not belong to the protocol. Throws HESSIAN_*. */
export function decodeHessian(
  dialect: HessianDialect,
  className: string,
  content: Uint8Array,
): ServiceMessage | undefined {
  const shape = SHAPES.get(className);
  if (shape === undefined) return undefined;
  return new HessianReader(dialect, content, CLASSES, VALUES_MAX.get(shape)).whole(shape);
}

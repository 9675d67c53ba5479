// The common part of the suite for a node's own store: disks to open a store on, and values to write.

import { RegistryError } from "../../base/errors.ts";
import { brandServiceKey } from "../../model/ids.ts";

/** A disk on which a store is opened, closed, and opened again. */
export interface TestDisk<Store> {
  open(): Promise<Store>;
}

export const isUnavailable = (error: unknown) => error instanceof RegistryError && error.code === "STORE_UNAVAILABLE";

export const ORDERS = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
// NUL ends a C string, and a lone surrogate has no UTF-8: the two texts that a store would quietly change.
export const ODD = brandServiceKey("or\0ders\ud800#@#💐#@#'\"\\");

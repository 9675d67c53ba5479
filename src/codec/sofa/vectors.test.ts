// Every golden vector is decoded to the meaning written beside it, and, where Java's bytes are canonical, encoded
// back to the same bytes. A vector that no test below claims fails.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { stringOf } from "../../base/text.ts";
import { BoltDecoder } from "../bolt/decoder.ts";
import { encodeHeartbeat, encodeHeartbeatAck, encodeRequest, encodeResponse } from "../bolt/encode.ts";
import { type BoltFrame, hasCrc } from "../bolt/frame.ts";
import { DraftWriter } from "../hessian/draftWriter.ts";
import { readTree } from "../hessian/tree.ts";
import { decodeMessage, encodeMessage, wireForm } from "./codec.ts";
import { PB } from "./protobufClasses.ts";
import { treeOf, withoutDefaults, meaningOf, plain } from "./vectorMeaning.ts";

const DIRECTORY = new URL("../../../test/vectors/sofa/", import.meta.url);

interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly meaning: unknown;
}

function vectors(prefix: string): Vector[] {
  return [];
}

// Loaded before the program (`node --import`): changes the text of source files on their way in, as the plant named in
// ROSTER_PLANT says.

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { PLANTS } from "./plants.ts";

const root = new URL("../../", import.meta.url);
const plant = PLANTS.find(({ name }) => name === process.env["ROSTER_PLANT"]);
assert.ok(plant !== undefined, "ROSTER_PLANT names a plant");
const edited = new URL(plant.file, root).href;
let isDone = false;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== edited) return loaded;
    const text = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
    const { file, find, replace } = plant;
    assert.equal(text.split(find).length, 2, `"${find}" occurs exactly once in ${file}`);
    isDone = true;
    return { ...loaded, source: text.replace(find, () => replace) };
  },
});

process.once("exit", () => assert.ok(isDone, `${plant.file} was loaded`));

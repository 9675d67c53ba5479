// Loaded before the program (`node --import`): changes the text of one source file on its way in, as the plant named in
// ROSTER_PLANT says.

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { PLANTS } from "./plants.ts";

const root = new URL("../../", import.meta.url);
const plant = PLANTS.find(({ name }) => name === process.env["ROSTER_PLANT"]);
assert.ok(plant !== undefined, "ROSTER_PLANT names a plant");
const { file, find, replace } = plant;
const target = new URL(file, root).href;
let isPlanted = false;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const text = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
    assert.equal(text.split(find).length, 2, `"${find}" occurs exactly once in ${file}`);
    isPlanted = true;
    return { ...loaded, source: text.replace(find, () => replace) };
  },
});

process.once("exit", () => assert.ok(isPlanted, `${file} was loaded`));

// Loaded before the program (`node --import`): changes the text of source files on their way in, as the plant named in
// ROSTER_PLANT says.

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { PLANTS } from "./plants.ts";

const root = new URL("../../", import.meta.url);
const plant = PLANTS.find(({ name }) => name === process.env["ROSTER_PLANT"]);
assert.ok(plant !== undefined, "ROSTER_PLANT names a plant");
const edits = new Map(
  [plant, ...(plant.also === undefined ? [] : [plant.also])].map((edit) => [new URL(edit.file, root).href, edit]),
);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edit = edits.get(url);
    if (edit === undefined) return loaded;
    const text = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source);
    const { file, find, replace } = edit;
    assert.equal(text.split(find).length, 2, `"${find}" occurs exactly once in ${file}`);
    edits.delete(url);
    return { ...loaded, source: text.replace(find, () => replace) };
  },
});

process.once("exit", () => assert.deepEqual([...edits.keys()], [], "all of them were loaded"));

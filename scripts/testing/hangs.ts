import { test } from "node:test";

test("does not end in time", () => new Promise((resolve) => setTimeout(resolve, 2_000)));

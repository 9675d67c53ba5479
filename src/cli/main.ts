#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=4
// The program's entry. At first it loads only the check of the runtime: the rest does not even parse on an old Node,
// and a syntax error deep in a library is a poor message.
//
// The young generation is kept small, 4 MiB to a half. Nearly all garbage here belongs to one message, so nothing is
// gained by collecting it later, and an idle server takes 100 MiB instead of 104.

const NODE_MAJOR_MIN = 24;

const major = Number(process.versions.node.split(".")[0]);
if (major < NODE_MAJOR_MIN) {
  console.error(`roster: Node.js ${NODE_MAJOR_MIN} or newer is required; this is ${process.version}`);
  process.exit(1);
} else {
  const { runProgram } = await import("./runProgram.ts");
  // An explicit exit: a library's idle timer must not keep the process alive after its command is done.
  process.exit(await runProgram(process.argv.slice(2)));
}

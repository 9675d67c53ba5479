#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=4
// The program's entry. It loads nothing but the check of the runtime at first: what follows does not even parse on an
// old Node, and a syntax error deep in a library is a poor way to say so.
//
// The young generation is kept small, 4 MiB to a half: nearly all garbage here is that of one message, so nothing is
// won by collecting it later, and an idle server takes 100 MiB in place of 104.

const NODE_MAJOR_MIN = 24;

const major = Number(process.versions.node.split(".")[0]);
if (major < NODE_MAJOR_MIN) {
  console.error(`roster: needs Node.js ${NODE_MAJOR_MIN} or newer, this is ${process.version}`);
  process.exit(1);
} else {
  const { runProgram } = await import("./program.ts");
  // An explicit exit: a library's idle timer must not keep a process alive whose command is done.
  process.exit(await runProgram(process.argv.slice(2)));
}

import { metaStoreSuite } from "../testing/metaStoreSuite.ts";
import { nodeStoreSuite } from "../testing/nodeStoreSuite.ts";
import { VirtualTime } from "../testing/virtualTime.ts";
import { MemoryDisk, openMemoryStore } from "./memoryStore.ts";

function newDisk() {
  const disk = new MemoryDisk();
  const time = new VirtualTime();
  return { open: () => openMemoryStore(disk, time), pass: time.pass };
}

metaStoreSuite("memory store", newDisk);
nodeStoreSuite("memory store", newDisk);

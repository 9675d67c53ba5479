import { nodeStoreSuite } from "../testing/nodeStoreSuite.ts";
import { MemoryDisk, openMemoryNodeStore } from "./memoryNodeStore.ts";

nodeStoreSuite("node store in memory", () => {
  const disk = new MemoryDisk();
  return { open: () => openMemoryNodeStore(disk) };
});

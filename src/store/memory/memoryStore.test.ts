import { storeSuite } from "../suite.ts";
import { MemoryDisk, openMemoryStore } from "./memoryStore.ts";

storeSuite("memory store", () => {
  const disk = new MemoryDisk();
  return { open: () => openMemoryStore(disk) };
});

import { recordsSuite } from "../testing/recordsSuite.ts";
import { VirtualTime } from "../testing/virtualTime.ts";
import { MemoryDatabase, openMemoryRecords } from "./memoryRecords.ts";

recordsSuite("records in memory", () => {
  const time = new VirtualTime();
  const database = new MemoryDatabase(time.nowMs);
  return {
    open: () => openMemoryRecords(database),
    pass: time.pass,
    isShared: true,
    copy: async () => {
      const copy = database.copy();
      return async () => database.failOver(copy);
    },
  };
});

// The lead among the meta nodes, as operators change it.

import { operation } from "../operation.ts";
import { DONE, metaOf } from "./nodes.ts";

export const stepDown = operation({
  name: "leader.stepdown",
  method: "POST",
  path: "/leader/step-down",
  about: "Has the leading meta node give the lead to another one, which takes it within a second or two.",
  parameters: {},
  command: { words: ["leader step-down"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  async run(node, _, isPreview) {
    const meta = metaOf(node);
    const refusal = meta.stepDownRefusal();
    if (refusal !== undefined) throw refusal;
    if (isPreview) return { isDone: false, message: `${node.id} would give the lead to another meta node` };
    await meta.stepDown();
    return {
      isDone: true,
      message: `${node.id} has given the lead up; another meta node takes it within a second or two`,
    };
  },
});

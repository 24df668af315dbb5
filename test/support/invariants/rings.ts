import assert from "node:assert/strict";
import { Netserver } from "../../../engine/components/netserver";
import type { MachineEngine } from "../../../engine/create";
import { RING_SLOTS, type FrameRing } from "../../../engine/machine/frameRing";
import type { Invariant } from "./invariant";

/** The rings of all channels with a network server. */
function rings({ built }: MachineEngine): FrameRing[] {
  return [...built.machine.components.values()].flatMap((model) => (model instanceof Netserver ? model.rings() : []));
}

/** Rules of the rings between applications and network servers. */
export const ringInvariants: readonly Invariant[] = [
  {
    number: 16, says: "every slot of a ring is either free or filled",
    watch: (engine) => {
      const all = rings(engine);
      return { step: () => { for (const ring of all) assert.equal(ring.count + ring.freeCount, RING_SLOTS, ring.name); } };
    },
  },
];

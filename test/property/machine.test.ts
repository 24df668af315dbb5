import { keepInvariants } from "../support/checkedMachines";

// Many machines for a short time, and in machineRuns.test.ts few for a long one: most of what goes wrong does where machines start, crash and connect.
describe("random machines as they start", () => {
  keepInvariants({ machines: 320, dispatches: 500, parts: 6, seed: 70_000 });
});

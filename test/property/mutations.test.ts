import assert from "node:assert/strict";
import { invariants } from "../support/invariants/all";
import { mutations } from "../support/mutations/all";
import { findFaults } from "../support/mutations/findFaults";
import { isOfScheduling } from "../support/mutations/mutation";

describe("faults in the models", () => {
  findFaults(mutations.filter((mutation) => !isOfScheduling(mutation)));

  it("every invariant has a fault that it finds", () => {
    const untested = invariants.filter(({ number }) => !mutations.some(({ breaks }) => breaks === number)).map(({ number, says }) => `${number}: ${says}`);
    assert.deepEqual(untested, []);
  });
});

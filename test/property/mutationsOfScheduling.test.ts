import { mutations } from "../support/mutations/all";
import { findFaults } from "../support/mutations/findFaults";
import { isOfScheduling } from "../support/mutations/mutation";

// Nearly half of all: in a file of their own they are looked for while the others are.
describe("faults in the models of scheduling", () => {
  findFaults(mutations.filter(isOfScheduling));
});

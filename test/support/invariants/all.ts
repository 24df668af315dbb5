import { crossingInvariants } from "./crossings";
import type { Invariant } from "./invariant";
import { deviceInvariants } from "./devices";
import { failureInvariants } from "./failures";
import { grantInvariants } from "./grants";
import { portmapInvariants } from "./portmap";
import { ringInvariants } from "./rings";
import { serverInvariants } from "./server";
import { switchingInvariants } from "./switching";
import { schedulingInvariants } from "./scheduling";
import { timeInvariants } from "./time";

/** Every rule, one file a subject. */
export const invariants: readonly Invariant[] = [
  ...timeInvariants, ...schedulingInvariants, ...ringInvariants, ...grantInvariants, ...failureInvariants, ...crossingInvariants,
  ...serverInvariants, ...portmapInvariants, ...switchingInvariants, ...deviceInvariants,
];

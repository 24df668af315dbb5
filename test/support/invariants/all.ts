import { crossingInvariants } from "./crossings";
import { creditInvariants } from "./credits";
import { deviceInvariants } from "./devices";
import { failureInvariants } from "./failures";
import { frameInvariants } from "./frames";
import { grantInvariants } from "./grants";
import { hypervisorInvariants } from "./hypervisor";
import type { Invariant } from "./invariant";
import { lockInvariants } from "./locks";
import { portmapInvariants } from "./portmap";
import { ringInvariants } from "./rings";
import { schedulingInvariants } from "./scheduling";
import { serverInvariants } from "./server";
import { streamInvariants } from "./streams";
import { switchingInvariants } from "./switching";
import { timeInvariants } from "./time";

/** The rules of each subject, by the name of its file. */
export const bySubject: Readonly<Record<string, readonly Invariant[]>> = {
  time: timeInvariants, scheduling: schedulingInvariants, hypervisor: hypervisorInvariants, credits: creditInvariants, locks: lockInvariants, rings: ringInvariants, grants: grantInvariants,
  failures: failureInvariants,
  crossings: crossingInvariants, server: serverInvariants, portmap: portmapInvariants, switching: switchingInvariants, devices: deviceInvariants,
  streams: streamInvariants, frames: frameInvariants,
};

/** Every rule. */
export const invariants: readonly Invariant[] = Object.values(bySubject).flat();

import { FourBsd } from "./fourBsd";
import { MToN } from "./mToN";
import { NToOne } from "./nToOne";
import { Preemptive } from "./preemptive";
import { RunToCompletion } from "./runToCompletion";
import type { PolicyParts, ThreadPolicy } from "./threadPolicy";

/** Schedulers of threads by the names that designs use (`scheduler` of a domain). */
export const threadPolicies: Readonly<Record<string, new (parts: PolicyParts) => ThreadPolicy>> = {
  "m-n": MToN,
  "n-1": NToOne,
  preemptive: Preemptive,
  "4bsd": FourBsd,
  "run-to-completion": RunToCompletion,
};

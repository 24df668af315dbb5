import type { OptionValue, SwitchPolicy as PolicySpec } from "../design/model";
import type { SwitchPolicy } from "./policy";
import { threshold } from "./threshold";
import { vfScarcity } from "./vfScarcity";

/** A policy at work: how often it decides, and by what. */
export interface PolicyEntry {
  /** Picoseconds. */
  readonly period: number;
  readonly decide: SwitchPolicy;
}

const number = (value: OptionValue | undefined): number => (typeof value === "number" ? value : 0);

const policies: Readonly<Record<string, (options: PolicySpec["options"]) => PolicyEntry>> = {
  load: ({ above, below, window, dwell }) => ({ period: number(window), decide: threshold("bits", number(above), number(below), number(dwell)) }),
  "packet-rate": ({ above, below, window, dwell }) => ({ period: number(window), decide: threshold("frames", number(above), number(below), number(dwell)) }),
  "vf-scarcity": ({ period, advantage }) => ({ period: number(period), decide: vfScarcity(number(advantage)) }),
};

/** The policy of an entry of the design. To add one: a file beside these, a line here, an entry in `design/catalogue/policies.ts`. @throws Error for an unknown kind */
export function policyOf(spec: PolicySpec): PolicyEntry {
  const make = policies[spec.kind];
  if (make === undefined) throw new Error(`There is no policy ${spec.kind}.`);
  return make(spec.options);
}

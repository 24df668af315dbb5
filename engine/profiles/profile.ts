import type { CostOverride } from "../design/model";
import type { FunctionInfo } from "../trace/trace";
import xeon4114 from "./xeon-4114-82599.json";

/** How far a number can be trusted. */
export type CostBasis = "measured" | "vendor" | "fitted" | "estimate";

/** One cost of a profile. */
export interface Cost {
  /** Picoseconds a call. */
  readonly call: number;
  /** Picoseconds a byte; for functions that touch the payload. */
  readonly byte?: number;
  readonly basis: CostBasis;
  readonly source: string;
}

interface ProfileFile {
  readonly name: string;
  readonly description: string;
  readonly costs: Readonly<Record<string, Cost>>;
}

const profiles: Readonly<Record<string, ProfileFile>> = { [xeon4114.name]: xeon4114 as ProfileFile };

/** Names of the profiles that ship. */
export const profileNames: readonly string[] = Object.keys(profiles);

/** Made once: every reading of a design asks for them. */
const costsOfProfiles: ReadonlyMap<string, ReadonlyMap<string, Cost>> = new Map(Object.entries(profiles).map(([name, { costs }]) => [name, new Map(Object.entries(costs))]));
const NO_COSTS: ReadonlyMap<string, Cost> = new Map();

/** The costs of a profile by name; none where there is no such profile. */
export function profileCosts(profile: string): ReadonlyMap<string, Cost> {
  return costsOfProfiles.get(profile) ?? NO_COSTS;
}

/** Costs of the functions of one machine, by function id. */
export class CostProfile {
  /** Of each function picoseconds a call (−1: not known) and a byte. Not lists: V8 keeps those of whole numbers and of fractions apart, and compiled all that spends anew when one became the other. */
  private costs = new Float64Array(0);
  private readonly file: ProfileFile;

  /**
   * @param overrides what a design sets in place of the profile's costs, by name
   * @throws Error naming the profiles that exist
   */
  constructor(name: string, private readonly functions: readonly FunctionInfo[], private readonly overrides: ReadonlyMap<string, CostOverride> = new Map()) {
    const file = profiles[name];
    if (file === undefined) throw new Error(`There is no cost profile "${name}"; there is: ${profileNames.join(", ")}.`);
    this.file = file;
  }

  /** Cost in picoseconds of one call of the function on `bytes` bytes. @throws Error if the profile lacks it */
  of(fn: number, bytes: number): number {
    return this.ofCall(fn) + this.ofBytes(fn, bytes);
  }

  /** Of that what the call costs. @throws Error if the profile lacks it */
  ofCall(fn: number): number {
    const call = this.call(fn);
    if (call < 0) throw this.unknown(fn);
    return call;
  }

  /** What is wrong with a function whose {@link call} is not known. */
  unknown(fn: number): Error {
    return new Error(`The cost profile "${this.file.name}" does not say what "${this.functions[fn]!.name}" costs.`);
  }

  /** Picoseconds a call; −1: not known. */
  call(fn: number): number {
    if (fn * 2 >= this.costs.length) this.resolve();
    return this.costs[fn * 2]!;
  }

  /** Picoseconds a byte. */
  byte(fn: number): number {
    if (fn * 2 >= this.costs.length) this.resolve();
    return this.costs[fn * 2 + 1]!;
  }

  /** And what its bytes cost. */
  ofBytes(fn: number, bytes: number): number {
    return Math.round(this.byte(fn) * bytes);
  }

  /** A cost that is not a function's, such as a latency, in picoseconds. @throws Error if the profile lacks it */
  latency(name: string): number {
    const cost = this.file.costs[name];
    if (cost === undefined) throw new Error(`The cost profile "${this.file.name}" does not say what "${name}" costs.`);
    return this.overrides.get(name)?.call ?? cost.call;
  }

  private resolve(): void {
    this.costs = Float64Array.from(this.functions.flatMap(({ name }) => {
      const cost = this.file.costs[name];
      const override = this.overrides.get(name);
      return [override?.call ?? cost?.call ?? -1, override?.byte ?? cost?.byte ?? 0];
    }));
  }
}

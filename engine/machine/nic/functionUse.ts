import type { Store, Table } from "../../kernel/state";
import { NOBODY } from "../memory";

/** How long a domain held a PCI function in all, picoseconds. */
export interface Holding {
  /** Its number, as an owner. */
  readonly domain: number;
  readonly time: number;
}

/** From when on so many of an adapter's virtual functions were held by domains, picoseconds. */
export interface UseFrom {
  readonly from: number;
  readonly held: number;
}

/** Which domain held which function of an adapter from when on: a row each time that one changes hands. */
export class FunctionUse {
  private readonly rows: Table<{ readonly function: "u16"; readonly domain: "i32"; readonly at: "f64" }>;

  constructor(store: Store, path: string) {
    this.rows = store.table(`use of ${path}`, { function: "u16", domain: "i32", at: "f64" });
  }

  /** @param domain who holds it from now on, or {@link NOBODY} */
  changed(f: number, domain: number, now: number): void {
    const { rows } = this;
    const row = rows.alloc();
    rows.function[row] = f;
    rows.domain[row] = domain;
    rows.at[row] = now;
  }

  /** Who held a function until `end`, and for how long: the one that held it longest first. */
  holdings(f: number, end: number): Holding[] {
    const { rows } = this;
    const times = new Map<number, number>();
    let domain = NOBODY;
    let since = 0;
    const until = (now: number): void => {
      if (domain !== NOBODY) times.set(domain, (times.get(domain) ?? 0) + now - since);
    };
    for (let row = 0; row < rows.rows; row++) {
      if (rows.function[row] !== f) continue;
      until(rows.at[row]!);
      domain = rows.domain[row]!;
      since = rows.at[row]!;
    }
    until(end);
    return [...times].map(([holder, time]) => ({ domain: holder, time })).sort((a, b) => b.time - a.time || a.domain - b.domain);
  }

  /** How many VFs were held, from when on: one entry for each change, and one for the beginning. */
  held(): UseFrom[] {
    const { rows } = this;
    const holders = new Map<number, number>();
    const steps: UseFrom[] = [{ from: 0, held: 0 }];
    for (let row = 0; row < rows.rows; row++) {
      // The PF is the first function.
      if (rows.function[row] === 0) continue;
      if (rows.domain[row] === NOBODY) holders.delete(rows.function[row]!);
      else holders.set(rows.function[row]!, rows.domain[row]!);
      const from = rows.at[row]!;
      const before = steps.at(-1)!;
      if (before.from === from) steps.pop();
      if (steps.at(-1)?.held !== holders.size) steps.push({ from, held: holders.size });
    }
    return steps;
  }
}

import assert from "node:assert/strict";

/** Picoseconds after which what nobody looks at is overlooked: longer than any wait for a pCPU in a crowded machine. */
const OVERLOOKED = 2e12;

/** Since when each of some things has been as it should not stay; throws when it has been so for too long. */
export class Patience {
  private readonly since = new Map<string, number>();

  look(name: string, wrong: boolean, now: number): void {
    if (!wrong) this.since.delete(name);
    else if (!this.since.has(name)) this.since.set(name, now);
    else assert.ok(now - this.since.get(name)! < OVERLOOKED, `${name}: since ${this.since.get(name)!} ps`);
  }
}

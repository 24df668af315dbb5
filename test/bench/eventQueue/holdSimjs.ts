import { cpuTime } from "../section";
import { DRAWS, nextState, type HoldResult } from "./holdModel";
import type { Simjs, Timer } from "./simjs";

/** {@link holdEngine} on simjs, whose cancelled timers are skipped when they come up. */
export function holdSimjs({ Sim, Entity }: Simjs, delays: Float64Array, pending: number, fired: number): HoldResult {
  const sim = new Sim();
  const live: Timer[] = [];
  let draw = 0;
  let state = 1;
  let count = 0;
  class Holder extends Entity {
    start(): void {
      for (let i = 0; i < pending; i++) this.schedule(i);
    }

    schedule(i: number): void {
      live[i] = this.setTimer(delays[draw++ & (DRAWS - 1)]!).done(this.fire, this, [i]);
    }

    fire(i: number): void {
      count++;
      this.schedule(i);
      state = nextState(state);
      if ((state >>> 8) % 7 < 3) {
        const other = (state >>> 4) % pending;
        live[other]!.cancel();
        this.schedule(other);
      }
    }
  }
  sim.addEntity(Holder);
  const hold = (more: number): void => {
    for (const goal = count + more; count < goal; ) sim.step();
  };
  hold(pending + (pending >> 1));
  const start = cpuTime();
  hold(fired);
  return { nanoseconds: ((cpuTime() - start) * 1e9) / fired, last: sim.time() };
}

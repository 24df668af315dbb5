import { log } from "../kernel/math";
import type { Placement } from "../machine/machine";
import { NONE } from "../trace/trace";

/** Longest piece of work that leaves one row: a row's cost is a 32-bit number of picoseconds. */
const PIECE = 1e9;

/** CPU time that a server adds to each request: always the same, or exponential, for comparison with queueing theory. */
export class ServiceTime {
  private readonly stream: number;
  private readonly fn;
  private readonly state;
  private readonly mean: number;
  private readonly exponential: boolean;

  constructor(private readonly place: Placement) {
    const { kernel } = place.machine;
    const { options, path } = place.spec;
    this.mean = Number(options["service"] ?? 0);
    this.exponential = options["distribution"] === "exponential";
    this.fn = kernel.functions({ serve: { kind: "application" } });
    this.stream = kernel.random.open(path, "service times");
    this.state = kernel.store.table(`service time of ${path}`, { next: "f64" }, 1);
    this.state.alloc();
    this.draw();
  }

  /** Said in `begin`: the time of the request that is served. */
  spend(): void {
    const { cpus } = this.place.machine;
    for (let left = this.state.next[0]!; left > 0; left -= PIECE) cpus.spendTime(this.fn.serve, Math.min(left, PIECE), NONE);
  }

  /** In `end`: draws the time of the next request. */
  draw(): void {
    const { random } = this.place.machine.kernel;
    // Inversion: −mean·ln(1 − u).
    this.state.next[0] = this.exponential ? Math.round(-this.mean * log(1 - random.uniform(this.stream))) : this.mean;
  }
}

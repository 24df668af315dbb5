import { log } from "../kernel/math";
import type { Placement } from "../machine/machine";
import { NONE } from "../trace/trace";

/** Longest piece of work that leaves one row: a row's cost is a 32-bit number of picoseconds. */
const PIECE = 1e9;
const LONGEST_PIECE = 4e9;
/** Rows of one request. What is drawn beyond these is cut off: 32 ms. */
const PIECES = 8;

/**
 * Distributions by name, as multiples of their mean, of two uniform numbers in (0, 1]. Squared coefficients of variation: 0, 1/3, 1, 4 and 2.25.
 * The hyperexponential one has two phases with balanced means (Allen, "Probability, Statistics and Queueing Theory", 1990, section 3.2.9).
 */
const distributions: Readonly<Record<string, (u: number, v: number) => number>> = {
  fixed: () => 1,
  uniform: (u) => 2 * u,
  exponential: (u) => -log(u),
  hyperexponential: (u, v) => -log(u) / (2 * (v <= OFTEN ? OFTEN : 1 - OFTEN)),
  bimodal: (u) => (u <= 0.9 ? 0.5 : 5.5),
};
/** (1 + √((c² − 1)/(c² + 1)))/2 for c² = 4. */
const OFTEN = (1 + Math.sqrt(3 / 5)) / 2;

/** CPU time that a server adds to each request, drawn from a distribution, for comparison with queueing theory. */
export class ServiceTime {
  private readonly stream: number;
  private readonly fn;
  private readonly state;
  private readonly mean: number;
  private readonly multiple: (u: number, v: number) => number;

  constructor(private readonly place: Placement) {
    const { kernel } = place.machine;
    const { options, path } = place.spec;
    this.mean = Number(options["service"] ?? 0);
    this.multiple = distributions[String(options["distribution"])] ?? distributions["fixed"]!;
    this.fn = kernel.functions({ serve: { kind: "application" } });
    this.stream = kernel.random.open(path, "service times");
    this.state = kernel.store.scalars(`service time of ${path}`, ["next"]);
    this.draw();
  }

  /** Said in `begin`: the time of the request that is served. */
  spend(): void {
    const { cpus } = this.place.machine;
    const time = this.state.next;
    const piece = Math.max(PIECE, Math.ceil(time / PIECES));
    for (let left = time; left > 0; left -= piece) cpus.spendTime(this.fn.serve, Math.min(left, piece), NONE);
  }

  /** In `end`: draws the time of the next request. */
  draw(): void {
    const { random } = this.place.machine.kernel;
    if (this.multiple === distributions["fixed"]) {
      this.state.next = Math.min(this.mean, PIECES * LONGEST_PIECE);
      return;
    }
    const u = 1 - random.uniform(this.stream);
    const v = this.multiple === distributions["hyperexponential"] ? random.uniform(this.stream) : 0;
    this.state.next = Math.min(Math.round(this.mean * this.multiple(u, v)), PIECES * LONGEST_PIECE);
  }
}

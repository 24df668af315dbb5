import type { Scope } from "../inspect";
import { NONE } from "../trace/trace";
import type { PlacedModel, Placement } from "../machine/machine";

/** Longest piece of work that leaves one row: a row's cost is a 32-bit number of picoseconds. */
const PIECE = 1e9;

/** Threads that do nothing but compute, in bursts, and let others go between two bursts (Sysbench/CPU, LibrettOS 5.2). */
export class Compute implements PlacedModel {
  readonly id: number;
  private readonly fn;
  private readonly threads: number[] = [];
  private readonly counters;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    this.id = machine.kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = machine.kernel.functions({ cpu_execute_event: { file: "src/tests/cpu/sb_cpu.c", kind: "application" } });
    for (let i = 0; i < Number(spec.options["threads"]); i++) this.threads.push(machine.cpus.addThread(domain.id, `compute-${i}`));
    this.counters = machine.kernel.store.table(`compute ${spec.path}`, { bursts: "f64" }, 1);
    this.counters.alloc();
  }

  private get burst(): number {
    return Number(this.place.spec.options["burst"]);
  }

  start(): void {
    this.threads.forEach((thread, i) => this.place.machine.cpus.post(thread, this.id, i, 0));
  }

  /** @param done part of the burst that earlier pieces have done, in pieces */
  begin(_thread: number, done: number): void {
    this.place.machine.cpus.spendTime(this.fn.cpu_execute_event, Math.min(PIECE, this.burst - done * PIECE), NONE, done);
  }

  end(thread: number, done: number): void {
    const { cpus } = this.place.machine;
    const over = (done + 1) * PIECE >= this.burst;
    if (over) {
      this.counters.bursts[0]!++;
      cpus.yield();
    }
    cpus.call(this.threads[thread]!, this.id, thread, over ? 0 : done + 1);
  }

  fire(): void {}

  describe(): Scope[] {
    return [{ name: "Compute", variables: [{ name: "bursts done", value: `${this.counters.bursts[0]!}`, number: this.counters.bursts[0]! }] }];
  }
}

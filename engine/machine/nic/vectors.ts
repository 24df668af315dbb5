import { Priority } from "../../kernel/queue";
import { NONE } from "../../trace/trace";
import { NicOp, eventOf, type Adapter } from "./adapter";

/** Where interrupts end: the CPUs of the host. */
export interface InterruptController {
  raise(line: number): boolean;
}

/**
 * Interrupt vectors, one a queue pair: messages through the remapping table, no closer to each other than the vector's
 * interval (EITR), masked by the adapter itself until the driver has emptied the ring (EIAM).
 */
export class Vectors {
  readonly state;

  /** @param before is told of an interrupt that is about to be sent */
  constructor(private readonly nic: Adapter, path: string, private readonly interrupts: InterruptController, private readonly before: (q: number) => void) {
    this.state = nic.kernel.store.table(`interrupt vectors of ${path}`, {
      epoch: "u16", index: "i32", masked: "u8", armed: "u8", polled: "u8", line: "i32", interval: "f64", last: "f64", interrupts: "f64", lost: "f64",
    });
  }

  add(index: number): void {
    const q = this.state.alloc();
    this.state.index[q] = index;
    this.state.last[q] = -1e15;
  }

  /**
   * Programs the interval. @param eitr the register as drivers write it
   * @throws Error beyond the device's longest
   */
  throttle(q: number, eitr: number): void {
    const { unit, most, shift } = this.nic.model.throttle;
    const units = eitr >> shift;
    if (units < 0 || units > most) throw new Error(`An interrupt interval of ${units} units is beyond the device's ${most}.`);
    this.state.interval[q] = units * unit;
  }

  /** The driver polls the queue: no interrupts; the line only says that there is something. */
  poll(q: number, line: number): void {
    this.state.polled[q] = 1;
    this.state.line[q] = line;
  }

  /** Something has arrived: an interrupt at once, or when the interval since the last is over. */
  arm(q: number): void {
    const { state, nic } = this;
    if (state.polled[q] === 1) {
      if (this.interrupts.raise(state.line[q]!)) this.before(q);
      return;
    }
    if (state.masked[q] === 1 || state.armed[q] === 1) return;
    state.armed[q] = 1;
    const earliest = state.last[q]! + state.interval[q]!;
    nic.kernel.schedule(Math.max(0, earliest - nic.kernel.now), Priority.interrupt, nic.id, NicOp.interrupt, eventOf(q, state.epoch[q]!));
  }

  unmask(q: number): void {
    this.state.masked[q] = 0;
  }

  fire(q: number): void {
    const { state, nic } = this;
    const { unit, number } = nic.queues[q]!;
    nic.kernel.mark(nic.fn.MSI, unit.component, unit.context, nic.kernel.now, 0, NONE, number);
    this.before(q);
    state.armed[q] = 0;
    state.masked[q] = 1;
    state.last[q] = nic.kernel.now;
    state.interrupts[q]!++;
    const index = state.index[q]!;
    const line = nic.iommu.remap(unit.iommu, index, unit);
    if (line === NONE) state.lost[q]!++;
    else this.interrupts.raise(line);
  }

  reset(q: number): void {
    const { state } = this;
    state.epoch[q] = (state.epoch[q]! + 1) & 0xffff;
    state.masked[q] = state.armed[q] = state.polled[q] = 0;
    state.interval[q] = 0;
  }
}

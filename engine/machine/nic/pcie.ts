import type { Kernel } from "../../kernel/kernel";
import type { CostProfile } from "../../profiles/profile";

const Direction = { down: 0, up: 1 } as const;

/**
 * The PCI Express link of an adapter, shared by all its functions: full duplex, so completions of reads come down while
 * writes go up; each direction carries one transfer after the other. Latencies overlap: only the bytes take turns.
 */
export class PcieLink {
  private readonly state;

  constructor(
    private readonly kernel: Kernel, private readonly costs: CostProfile, path: string,
    private readonly packet: { readonly payload: number; readonly overhead: number; readonly slowdown: number },
  ) {
    this.state = kernel.store.table(`PCIe link of ${path}`, { busyUntil: "f64", bytes: "f64" }, 2);
    this.state.alloc();
    this.state.alloc();
  }

  /** @param fn whose call is the latency, and whose bytes the time on the link @returns picoseconds until the data is here */
  read(fn: number, bytes: number, translation: number): number {
    const { kernel, state } = this;
    const arrival = kernel.now + this.costs.ofCall(fn) + translation;
    const end = Math.max(arrival, state.busyUntil[Direction.down]!) + this.linkTime(fn, bytes, Direction.down);
    state.busyUntil[Direction.down] = end;
    return end - kernel.now;
  }

  /** Posted: the adapter goes on at once. @returns picoseconds until memory has the data */
  write(fn: number, bytes: number, translation: number): number {
    const { kernel, state } = this;
    const end = Math.max(kernel.now + translation, state.busyUntil[Direction.up]!) + this.linkTime(fn, bytes, Direction.up);
    state.busyUntil[Direction.up] = end;
    return end + this.costs.ofCall(fn) - kernel.now;
  }

  /** Time of one transfer that waits for nothing, picoseconds. */
  unloaded(fn: number, bytes: number): number {
    return this.costs.ofCall(fn) + this.timeOf(fn, this.linkBytes(bytes));
  }

  private linkTime(fn: number, bytes: number, direction: number): number {
    const total = this.linkBytes(bytes);
    this.state.bytes[direction]! += total;
    return this.timeOf(fn, total);
  }

  private timeOf(fn: number, bytes: number): number {
    return this.costs.ofBytes(fn, bytes) * this.packet.slowdown;
  }

  private linkBytes(bytes: number): number {
    return bytes + Math.ceil(bytes / this.packet.payload) * this.packet.overhead;
  }

  bytes(direction: "down" | "up"): number {
    return this.state.bytes[Direction[direction]]!;
  }
}

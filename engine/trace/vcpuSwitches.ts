import { SliceList } from "./sliceList";
import { NO_VCPU, NONE, type Trace } from "./trace";

/** Which vCPU runs on which pCPU, from the rows of pCPU contexts; and, per vCPU, when it had none. */
export class VcpuSwitches {
  /** Per vCPU: when it had no pCPU. */
  readonly off: readonly SliceList[];
  /** Per vCPU: the pCPU context that it runs on, or −1. */
  private readonly pcpuOf: Int32Array;
  /** Per pCPU context: the vCPU that it runs, or {@link NO_VCPU}. */
  private readonly running: Uint16Array;

  constructor(private readonly trace: Trace) {
    const { vcpus, contexts } = trace.names;
    this.off = vcpus.map(() => new SliceList());
    this.pcpuOf = new Int32Array(vcpus.length).fill(NONE);
    this.running = new Uint16Array(contexts.length).fill(NO_VCPU);
  }

  get bytes(): number {
    return this.off.reduce((sum, list) => sum + list.bytes, 0);
  }

  /**
   * A row of a pCPU: the hypervisor works for `cost` from `begin` on, and from `time` on the pCPU runs `vcpu`.
   * @param lane the pCPU's lane; the slice of the vCPU that runs is its last and still open.
   */
  absorb(lane: SliceList, row: number): void {
    const { trace } = this;
    const [context, vcpu, time, begin, cost] = [trace.context(row), trace.vcpu(row), trace.time(row), trace.begin(row), trace.cost(row)];
    const before = this.running[context]!;
    if (before !== NO_VCPU) {
      const left = cost > 0 ? Math.max(begin, lane.begin[lane.length - 1]!) : time;
      lane.setLastEnd(left);
      if (before !== vcpu && this.pcpuOf[before] === context) {
        this.off[before]!.insert(left, Infinity, row);
        this.pcpuOf[before] = NONE;
      }
    }
    if (cost > 0 && lane.isFree(begin, begin + cost)) lane.insert(begin, begin + cost, row);
    this.running[context] = vcpu;
    if (vcpu === NO_VCPU) return;
    lane.insert(time, time, row);
    const off = this.off[vcpu]!;
    if (this.pcpuOf[vcpu] === NONE && off.length > 0) off.setLastEnd(time);
    this.pcpuOf[vcpu] = context;
  }

  /** The trace has reached `time`: the vCPU that runs on this pCPU, if any, still does. */
  extend(lane: SliceList, context: number, time: number): void {
    if (this.running[context] !== NO_VCPU) lane.setLastEnd(time);
  }
}

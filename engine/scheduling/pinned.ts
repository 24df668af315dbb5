import { NONE } from "../trace/trace";
import { giveCore } from "./ownCores";
import type { PcpuView, VcpuParameters, VcpuPolicy } from "./vcpuPolicy";

/** Every vCPU owns one pCPU: bare metal, or a host partitioned once and for all (Xen's null scheduler). */
export class PinnedPolicy implements VcpuPolicy {
  readonly tickPeriod = 0;
  readonly accounting = undefined;
  private readonly homes: (number | undefined)[] = [];
  private readonly affinities = new Map<number, readonly number[]>();

  constructor(private readonly host: PcpuView) {}

  add(vcpu: number, parameters: VcpuParameters): void {
    this.affinities.set(vcpu, parameters.affinity);
    if (giveCore(vcpu, this.homes, this.host.count, (v) => this.affinities.get(v)!)) return;
    throw new Error("The pinned scheduler needs a pCPU for every vCPU: add cores, or choose another scheduler.");
  }

  wake(vcpu: number, from: number): void {
    this.host.tickle(this.homes.indexOf(vcpu), from);
  }

  sleep(): void {}

  tick(): void {}

  pick(pcpu: number): { vcpu: number; slice: number } {
    const vcpu = this.homes[pcpu];
    return { vcpu: vcpu !== undefined && this.host.isRunnable(vcpu) ? vcpu : NONE, slice: 0 };
  }

  describe(): string {
    return ", pinned";
  }
}

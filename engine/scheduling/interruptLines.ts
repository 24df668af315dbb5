import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import type { Vcpus } from "./vcpus";

/** `device`: an adapter's interrupt, ended by a write to the interrupt controller; `event`: an event channel or an interrupt of the vCPU's own. */
export type LineKind = "device" | "event";

/** Interrupt lines and event-channel ports: raising one that is pending does nothing more, as with Xen's pending bits. */
export class InterruptLines {
  readonly line;
  /** By vCPU: the lines that it polls. */
  readonly polled: number[][] = [];

  constructor(kernel: Kernel, private readonly vcpus: Vcpus) {
    this.line = kernel.store.table("interrupt lines", {
      pending: "u8", device: "u8", polled: "u8", vcpu: "u16", component: "u16", op: "u16", a: "i32", next: "i32", cause: "i32", raised: "f64", delivered: "f64", latency: "f64",
    });
  }

  add(vcpu: number, component: number, op: number, a: number, latency: number, kind: LineKind): number {
    const { line } = this;
    const l = line.alloc();
    line.device[l] = kind === "device" ? 1 : 0;
    line.vcpu[l] = vcpu;
    line.component[l] = component;
    line.op[l] = op;
    line.a[l] = a;
    line.latency[l] = latency;
    line.next[l] = NONE;
    if (this.vcpus.entry(vcpu).policy.polls) {
      line.polled[l] = 1;
      (this.polled[vcpu] ??= []).push(l);
    }
    return l;
  }

  /** The line has reached its vCPU, which takes it when it can. */
  deliver(l: number, cause: number): void {
    const { line } = this;
    const { vcpu } = this.vcpus;
    const v = line.vcpu[l]!;
    line.delivered[l]!++;
    line.cause[l] = cause;
    line.next[l] = NONE;
    if (vcpu.lineTail[v] === NONE) vcpu.lineHead[v] = l;
    else line.next[vcpu.lineTail[v]!] = l;
    vcpu.lineTail[v] = l;
  }

  /** A handler goes on, before any other line of its vCPU. */
  repeat(l: number, cause: number): void {
    const { line } = this;
    const { vcpu } = this.vcpus;
    const v = line.vcpu[l]!;
    line.pending[l] = 1;
    line.cause[l] = cause;
    if (line.polled[l] === 1) return;
    line.next[l] = vcpu.lineHead[v]!;
    vcpu.lineHead[v] = l;
    if (vcpu.lineTail[v] === NONE) vcpu.lineTail[v] = l;
  }

  /** Takes the vCPU's first delivered line; it can be raised again. */
  take(v: number): number {
    const { vcpu } = this.vcpus;
    const l = vcpu.lineHead[v]!;
    vcpu.lineHead[v] = this.line.next[l]!;
    if (this.line.next[l] === NONE) vcpu.lineTail[v] = NONE;
    this.line.pending[l] = 0;
    return l;
  }

  /** Takes the first line that the vCPU polls and that has something, or −1. */
  poll(v: number): number {
    for (const l of this.polled[v] ?? []) {
      if (this.line.pending[l] === 0) continue;
      this.line.pending[l] = 0;
      return l;
    }
    return NONE;
  }

  /** The domain has stopped. */
  clear(domain: number): void {
    const { line } = this;
    for (let l = 0; l < line.rows; l++) if (this.vcpus.domainOf[line.vcpu[l]!] === domain) line.pending[l] = 0;
  }
}

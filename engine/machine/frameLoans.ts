import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import type { Machine } from "./machine";

/**
 * Frames in a Linux domain whose data are not in memory of its own: pages that somebody lends it, mapped, and has back when the frame is
 * no longer needed (`struct ubuf_info`, zero-copy socket buffers). Whoever frees such a frame gives it back: a driver whose
 * adapter has read it, a queue that drops it. Who would keep it, or clone it, copies it first (`skb_orphan_frags`): so do protocols
 * that receive it, routing among them, but not a bridge (net/core/dev.c, `__netif_receive_skb_core`).
 */
export class FrameLoans {
  /** Frames on loan, and the lender's own numbers for them; packet −1: a free row. */
  private readonly loan;
  private readonly fn;

  /** @param path of the domain, whose memory this is @param returned is told that a frame's pages are no longer used, by its own numbers */
  constructor(private readonly machine: Machine, path: string, private readonly returned: (lender: number, number: number) => void) {
    const { kernel } = machine;
    this.loan = kernel.store.table(`frames on loan in ${path}`, { packet: "i32", lender: "u16", number: "i32" });
    this.fn = functionsOf(kernel);
  }

  /** The frame's data are in pages that the lender has mapped. */
  lend(packet: number, lender: number, number: number): void {
    let row = this.rowOf(NONE);
    if (row === NONE) row = this.loan.alloc();
    this.loan.packet[row] = packet;
    this.loan.lender[row] = lender;
    this.loan.number[row] = number;
  }

  isLent(packet: number): boolean {
    return this.rowOf(packet) !== NONE;
  }

  /** The frame is freed, or has been copied. One that is not on loan is nobody's business. */
  giveBack(packet: number): void {
    const row = this.rowOf(packet);
    if (row === NONE) return;
    this.loan.packet[row] = NONE;
    this.returned(this.loan.lender[row]!, this.loan.number[row]!);
  }

  /** Said in `begin`: so many frames will be given back. */
  spendReturn(frames: number): void {
    const { cpus, costs } = this.machine;
    if (frames > 0) cpus.spendTime(this.fn.xenvif_zerocopy_callback, frames * costs.of(this.fn.xenvif_zerocopy_callback, 0), NONE, frames);
  }

  /** Said in `begin`: the frame is copied before it goes on, if it is on loan. */
  spendCopy(packet: number): void {
    if (!this.isLent(packet)) return;
    const { cpus, packets } = this.machine;
    cpus.spend(this.fn.skb_copy_ubufs, packet, packets.frameLength(packet));
    this.spendReturn(1);
  }

  /** Frames of a lender that are on loan. */
  countOf(lender: number): number {
    const { loan } = this;
    let count = 0;
    for (let row = 0; row < loan.rows; row++) if (loan.packet[row] !== NONE && loan.lender[row] === lender) count++;
    return count;
  }

  /** Some tens of frames at most are on loan, and the oldest are given back first. */
  private rowOf(packet: number): number {
    const { loan } = this;
    for (let row = 0; row < loan.rows; row++) if (loan.packet[row] === packet) return row;
    return NONE;
  }
}

function functionsOf(kernel: Kernel) {
  return kernel.functions({
    xenvif_zerocopy_callback: { file: "drivers/net/xen-netback/netback.c", kind: "driver", a: "frames" },
    skb_copy_ubufs: { file: "net/core/skbuff.c", kind: "ethernet", a: "bytes", tally: "copy" },
  });
}

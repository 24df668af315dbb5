import type { Store } from "../../kernel/state";
import { layoutFor, type NicModel, type PoolLayout } from "./model";
import { vfRoutingId } from "./routingIds";

/**
 * The SR-IOV capability of a physical function, and the pools of queues that follow from it. A function's pool is its
 * number: VFs come first, the PF's pool is the one after them (DPDK `ixgbe_pf.c`).
 */
export class SrIov {
  private readonly state;

  /** @param multiqueue whether a function wants more than one queue: the layout must then spread by RSS */
  constructor(store: Store, path: string, private readonly model: NicModel, readonly pf: number, private readonly multiqueue: boolean) {
    this.state = store.table(`SR-IOV of ${path}`, { vfs: "u16", enabled: "u8", ari: "u8" }, 1);
    this.state.alloc();
    this.state.ari[0] = 1;
  }

  get totalVfs(): number {
    return this.model.totalVfs;
  }

  get vfs(): number {
    return this.state.vfs[0]!;
  }

  get enabled(): boolean {
    return this.state.enabled[0] === 1;
  }

  /** Writes NumVFs. @returns false, and nothing changes, while VF Enable is set or beyond TotalVFs */
  setVfs(count: number): boolean {
    if (this.enabled || count < 0 || count > this.model.totalVfs) return false;
    this.state.vfs[0] = count;
    return true;
  }

  /** Writes VF Enable. @returns false without a VF to enable, or when no pool would be left for the PF's driver */
  enable(on: boolean): boolean {
    if (on && (this.vfs === 0 || this.vfs > this.usableVfs)) return false;
    this.state.enabled[0] = on ? 1 : 0;
    return true;
  }

  /** Writes ARI Capable Hierarchy. @returns false, and nothing changes, while VF Enable is set */
  setAri(on: boolean): boolean {
    if (this.enabled) return false;
    this.state.ari[0] = on ? 1 : 0;
    return true;
  }

  /** VFs that can be enabled beside a PF that is driven: it needs a pool. */
  get usableVfs(): number {
    return this.model.layouts.at(-1)!.pools - 1;
  }

  /** @returns the routing id of a VF. First VF Offset and VF Stride depend on the hierarchy, so read it after VF Enable */
  routingIdOf(vf: number): number {
    return vfRoutingId(this.pf, this.state.ari[0] === 1 ? this.model.routing.ari : this.model.routing.noAri, vf);
  }

  /** The division of queues; undefined: not divided, all are the PF's. */
  get layout(): PoolLayout | undefined {
    if (!this.enabled) return undefined;
    return layoutFor(this.model, this.vfs, this.multiqueue);
  }

  /** @returns the number of a pool's queue on the device: of VF v, v × queues of a pool + q, or v + q × pools */
  queueNumber(pool: number, q: number): number {
    const { layout } = this;
    if (layout === undefined) return q;
    return layout.interleaved === true ? pool + q * layout.pools : pool * layout.queues + q;
  }
}

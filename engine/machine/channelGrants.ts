import type { Variable } from "../inspect";
import { NONE } from "../trace/trace";
import type { GrantTables } from "./grants";
import type { Requester } from "./iommu/iommu";
import type { Machine } from "./machine";
import { PAGE_SIZE } from "./memory";

/**
 * Pages of one direction of a channel: 512 slots of 9216 bytes, two index queues of three pages each, and two pages that list
 * the grants (LibrettOS `network_ring.h`).
 */
const DIRECTION_PAGES = 1152 + 3 + 3 + 2;
/** Grants of a channel: both directions. */
export const CHANNEL_GRANTS = 2 * DIRECTION_PAGES;

/**
 * The shared memory of a channel between an application and a network server: the application allocates and grants it, all
 * of it, the server maps it, and only then frames can cross (LibrettOS `frontend.c`, `backend_connect` in `backend.c`).
 */
export class ChannelGrants {
  private readonly state;
  private readonly grants: GrantTables;
  private readonly costs;
  private readonly fn;
  private readonly page: number;

  /** @param application and `server` domains' ids @param name unique: the path of the VIF */
  constructor(private readonly machine: Machine, host: string, private readonly application: number, private readonly server: number, name: string) {
    const { kernel } = machine;
    const [grants, memory] = [machine.grants.get(host), machine.memories.get(host)];
    if (grants === undefined || memory === undefined) throw new Error(`${host} has no hypervisor to grant pages by.`);
    this.grants = grants;
    this.costs = machine.costs;
    this.fn = kernel.functions({
      gnttab_grant_access: { file: "platform/xen/xen/gnttab.c", kind: "vif", a: "grants" },
      gnttab_end_access: { file: "platform/xen/xen/gnttab.c", kind: "vif", a: "grants" },
    });
    this.page = memory.guestBase(application) + memory.allocateBuffer(application, CHANNEL_GRANTS * PAGE_SIZE) / PAGE_SIZE;
    this.state = kernel.store.scalars(`channel of ${name}`, ["run", "mapping", "mapped"]);
    this.state.run = this.state.mapping = this.state.mapped = NONE;
  }

  /** Whether the application has granted the channel: there are rings to write to. */
  get granted(): boolean {
    return this.state.run !== NONE;
  }

  /** Whether the application has granted the channel, and the server mapped it. */
  get connected(): boolean {
    return this.state.mapping !== NONE && !this.isStale;
  }

  /** Whether the server maps a channel that is not the application's any more: of one that is gone. */
  get isStale(): boolean {
    return this.state.mapping !== NONE && this.state.mapped !== this.state.run;
  }

  /** Said in `begin`, by the application: it writes the grants. */
  spendGrant(): void {
    this.machine.cpus.spendTime(this.fn.gnttab_grant_access, CHANNEL_GRANTS * this.costs.of(this.fn.gnttab_grant_access, 0), NONE, CHANNEL_GRANTS);
  }

  /** The application grants the channel to the server. @returns false where its table has no room: marked */
  grant(by: Requester): boolean {
    this.state.run = this.grants.grant(by, this.application, this.server, this.page, CHANNEL_GRANTS, false);
    return this.state.run !== NONE;
  }

  /** Said in `begin`, by the server: one hypercall maps them all. */
  spendMap(): void {
    this.grants.spendMap(CHANNEL_GRANTS);
  }

  /** The server maps the channel. @returns false where it is refused: marked why */
  map(by: Requester): boolean {
    const run = this.state.run;
    this.state.mapping = run === NONE ? NONE : this.grants.map(by, this.server, run, true);
    this.state.mapped = run;
    return this.connected;
  }

  /** Said in `begin`, by the server: it gives the mapping back. */
  spendUnmap(): void {
    this.grants.spendUnmap(CHANNEL_GRANTS);
  }

  /** The server unmaps the channel, or the hypervisor has done it, as the server is gone (`forced`). */
  unmap(forced = false): void {
    if (this.state.mapping !== NONE && !forced) this.grants.unmap(this.state.mapping);
    this.state.mapping = NONE;
  }

  /** Said in `begin`, by the application: it takes the grants back. */
  spendEnd(): void {
    this.machine.cpus.spendTime(this.fn.gnttab_end_access, CHANNEL_GRANTS * this.costs.of(this.fn.gnttab_end_access, 0), NONE, CHANNEL_GRANTS);
  }

  /** The application ends access, before it grants a new channel or when it leaves. @returns false while the server maps it: marked */
  end(by: Requester): boolean {
    if (this.state.run === NONE) return true;
    if (!this.grants.endAccess(by, this.state.run)) return false;
    this.state.run = NONE;
    return true;
  }

  /** The application is gone, and the hypervisor ends its grants; what the server maps stays until it unmaps it. */
  forget(): void {
    this.state.run = NONE;
  }

  describe(): Variable {
    const { run } = this.state;
    return {
      name: "shared memory", value: this.connected ? `${CHANNEL_GRANTS} grants, mapped by the server` : run === NONE ? "not granted" : `${CHANNEL_GRANTS} grants, not mapped yet`,
      number: this.connected ? CHANNEL_GRANTS : 0,
    };
  }
}

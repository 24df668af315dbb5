import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Priority } from "../../../engine/kernel/queue";
import { GrantTables, RESERVED_ENTRIES, RUMP_FRAMES, XEN_FRAMES, type Released } from "../../../engine/machine/grants";
import { HostMemory } from "../../../engine/machine/memory";
import { CostProfile } from "../../../engine/profiles/profile";
import { Cpus } from "../../../engine/scheduling/cpus";

/** Pages, entries and frames that the network server's channel takes (LibrettOS `network_ring.h`): 1152 + 3 + 3 + 2 a direction. */
const CHANNEL = 2 * 1160;

class Rig {
  readonly kernel = new Kernel(1, true);
  readonly memory = new HostMemory(this.kernel.store, "host");
  private readonly costs = new CostProfile("xeon-4114-82599", this.kernel.names.functions);
  readonly grants = new GrantTables(this.kernel, this.costs, new Cpus(this.kernel, this.costs), this.memory, "host");
  readonly by = { component: 0, context: this.kernel.context("thread", "test", "host", undefined) };
  private action: () => void = () => {};
  private readonly id: number;
  private readonly step: number;

  constructor() {
    this.step = this.kernel.functions({ step: { kind: "thread" } }).step;
    this.id = this.kernel.component("test", "test", "host", undefined, { fire: () => this.action() });
    this.grants.addDomain(0, "host/server", XEN_FRAMES);
    this.grants.addDomain(1, "host/application", RUMP_FRAMES);
    this.grants.addDomain(2, "host/other", RUMP_FRAMES);
  }

  /** Does something in a dispatch of its own, as rows belong to one. */
  do<T>(action: () => T): T {
    let result: T | undefined;
    this.action = () => {
      this.kernel.mark(this.step, this.id, this.by.context, this.kernel.now, 0);
      result = action();
    };
    this.kernel.schedule(0, Priority.control, this.id, 0);
    this.kernel.dispatch();
    return result as T;
  }

  /** Machine page of the application's memory. */
  page(guest = 0, domain = 1): number {
    return this.memory.guestBase(domain) + guest;
  }

  grant(count = 1, readonly = false): number {
    return this.do(() => this.grants.grant(this.by, 1, 0, this.page(), count, readonly));
  }

  /** Names of the rows since the last call. */
  rows(): string[] {
    const { trace, names } = this.kernel;
    const found: string[] = [];
    for (; this.seen < trace!.length; this.seen++) {
      if (trace!.fn(this.seen) !== this.step) found.push(names.functions[trace!.fn(this.seen)]!.name);
    }
    return found;
  }

  private seen = 0;

  grantOf(owner: number, grantee: number, page: number, count: number): number {
    return this.do(() => this.grants.grant(this.by, owner, grantee, page, count, false));
  }

  map(mapper: number, r: number, writable: boolean): number {
    return this.do(() => this.grants.map(this.by, mapper, r, writable));
  }

  mayUse(domain: number, r: number, write: boolean): boolean {
    return this.do(() => this.grants.mayUse(this.by, domain, r, write));
  }

  endAccess(r: number): boolean {
    return this.do(() => this.grants.endAccess(this.by, r));
  }

  release(domain: number): Released {
    return this.do(() => this.grants.release(domain));
  }
}

describe("grant tables", () => {
  it("let the domain that is named map a page, and no other", () => {
    const rig = new Rig();
    const r = rig.grant();
    assert.ok(rig.map(0, r, true) >= 0);
    assert.equal(rig.map(2, r, true), -1);
    assert.deepEqual(rig.rows(), ["grant is another's"]);
    assert.equal(rig.grants.mappedBy(0), 1);
  });

  it("refuse a writable mapping of, and a copy into, a read-only grant", () => {
    const rig = new Rig();
    const r = rig.grant(1, true);
    assert.ok(rig.map(0, r, false) >= 0);
    assert.equal(rig.map(0, r, true), -1);
    assert.equal(rig.mayUse(0, r, true), false);
    assert.equal(rig.mayUse(0, r, false), true);
    assert.deepEqual(rig.rows(), ["grant is read-only", "grant is read-only"]);
  });

  it("do not let a domain grant what it does not own", () => {
    const rig = new Rig();
    const forged = rig.grantOf(1, 0, rig.page(0, 2), 1);
    assert.equal(rig.map(0, forged, false), -1);
    const beyond = rig.grantOf(1, 0, rig.page(262_143), 2);
    assert.equal(rig.mayUse(0, beyond, false), false);
    assert.deepEqual(rig.rows(), ["granted page is another's", "granted page is another's"]);
  });

  it("end access only when nobody maps the pages, and then for good", () => {
    const rig = new Rig();
    const r = rig.grant();
    const [first, second] = [rig.map(0, r, true), rig.map(0, r, true)];
    assert.equal(rig.endAccess(r), false);
    rig.grants.unmap(first);
    assert.equal(rig.endAccess(r), false);
    rig.grants.unmap(second);
    assert.equal(rig.endAccess(r), true);
    assert.equal(rig.map(0, r, true), -1);
    assert.deepEqual(rig.rows(), ["grant still in use", "grant still in use", "grant has ended"]);
    assert.equal(rig.grants.mappedBy(0), 0);
    assert.equal(rig.grants.grantedBy(1), 0);
  });

  it("of a rumprun guest hold the channel to one network server, and not to two", () => {
    const rig = new Rig();
    assert.equal(rig.grants.freeOf(1), 8 * 512 - RESERVED_ENTRIES);
    const first = rig.grant(CHANNEL);
    assert.equal(rig.grants.referenceOf(first), RESERVED_ENTRIES);
    assert.equal(rig.grant(CHANNEL), -1);
    assert.deepEqual(rig.rows(), ["grant table full"]);
    assert.ok(rig.endAccess(first));
    assert.equal(rig.grants.referenceOf(rig.grant(CHANNEL)), RESERVED_ENTRIES);
  });

  it("use entries again, in pieces, up to the last", () => {
    const rig = new Rig();
    const all = rig.grants.freeOf(1);
    assert.ok(rig.endAccess(rig.grant(all)));
    const references = new Set<number>();
    for (let i = 0; i < all; i++) references.add(rig.grants.referenceOf(rig.grant()));
    assert.equal(references.size, all);
    assert.equal(rig.grants.freeOf(1), 0);
    assert.equal(rig.grant(), -1);
  });

  it("unmap by force what a dead domain had mapped, and end what it granted when the last mapping goes", () => {
    const rig = new Rig();
    const ring = rig.grant(10);
    rig.map(0, ring, true);
    const own = rig.grantOf(0, 1, rig.page(0, 0), 3);
    const held = rig.map(1, own, false);
    // Each of the ten at 300 ns; its own three that another maps stay the other's to unmap.
    assert.deepEqual(rig.release(0), { mapped: 10, granted: 3, time: 3e6 });
    assert.equal(rig.grants.mappedBy(0), 0);
    assert.equal(rig.endAccess(ring), true);
    assert.equal(rig.map(1, own, false), -1);
    assert.equal(rig.grants.grantedBy(0), 3);
    rig.grants.unmap(held);
    assert.equal(rig.grants.grantedBy(0), 0);
  });

  it("are described with grantee and use", () => {
    const rig = new Rig();
    rig.map(0, rig.grant(2), true);
    rig.grant(1, true);
    const { value, children } = rig.grants.describe(1);
    assert.equal(value, "3 of 4088 entries");
    assert.deepEqual(children!.slice(2).map((c) => `${c.name} ${c.value}`), ["8–9 to host/server, mapped", "10 read-only to host/server, not mapped"]);
  });
});

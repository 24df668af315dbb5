import assert from "node:assert/strict";
import fc from "fast-check";
import { Kernel } from "../../../engine/kernel/kernel";
import { Iommu, REFUSED } from "../../../engine/machine/iommu/iommu";
import { IOTLB_ENTRIES, Iotlb } from "../../../engine/machine/iommu/iotlb";
import { DOMAIN_PAGES, HostMemory, NOBODY, PAGE_SIZE, SUPERPAGE_PAGES } from "../../../engine/machine/memory";
import { CostProfile } from "../../../engine/profiles/profile";
import { inDispatch } from "../../support/inDispatch";

const by = { component: 0, context: 0 };
const MISS = 330_000;

function make(on = true): { kernel: Kernel; memory: HostMemory; iommu: Iommu; f: number; g: number } {
  const kernel = new Kernel(1, true);
  const memory = new HostMemory(kernel.store, "h");
  const iommu = new Iommu(kernel, new CostProfile("xeon-4114-82599", kernel.names.functions), memory, "h", on);
  // What devices ask of it leaves rows.
  const [access, remap] = [iommu.access.bind(iommu), iommu.remap.bind(iommu)];
  iommu.access = (...of) => inDispatch(kernel, () => access(...of));
  iommu.remap = (...of) => inDispatch(kernel, () => remap(...of));
  return { kernel, memory, iommu, f: iommu.addFunction("h/nic/vf0", 0x8680), g: iommu.addFunction("h/nic/vf1", 0x8682) };
}

function count(kernel: Kernel, name: string): number {
  return kernel.names.functions.filter((fn) => fn.name === name).reduce((sum, fn) => sum + kernel.count(fn.id), 0);
}

describe("host memory", () => {
  it("knows the owner of every page, through any transfers", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(199), fc.integer({ min: 1, max: 50 }), fc.nat(3)), { maxLength: 25 }), (transfers) => {
      const memory = new HostMemory(new Kernel(1, true).store, "h");
      const first = memory.allocate(0, 250);
      const model = new Array<number>(250).fill(0);
      for (const [at, pages, owner] of transfers) {
        memory.transfer(first + at, pages, owner);
        model.fill(owner, at, at + pages);
      }
      model.forEach((owner, i) => assert.equal(memory.ownerOf(first + i), owner));
      assert.equal(memory.ownerOf(first + 250), NOBODY);
      assert.equal(memory.owns(model[0]!, first, 250), model.every((owner) => owner === model[0]));
    }), { numRuns: 60 });
  });
});

describe("IOTLB", () => {
  it("keeps the 64 translations that were used last", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(0, 1, 64), fc.nat(40)), { minLength: 300, maxLength: 600 }), (uses) => {
      const tlb = new Iotlb(new Kernel(1, true).store, "h");
      let model: string[] = [];
      for (const [f, page] of uses) {
        const key = `${f}/${page}`;
        const hit = tlb.lookup(f, page);
        assert.equal(hit >= 0, model.includes(key));
        if (hit >= 0) assert.equal(hit, 1000 * f + page);
        else tlb.fill(f, page, 1, 1000 * f + page);
        model = [key, ...model.filter((k) => k !== key)].slice(0, IOTLB_ENTRIES);
      }
      assert.equal(tlb.count, model.length);
    }), { numRuns: 60 });
  });

  it("forgets what an invalidation names, and nothing else", () => {
    const tlb = new Iotlb(new Kernel(1, true).store, "h");
    for (let page = 0; page < 20; page++) for (const f of [0, 1]) tlb.fill(f, page, 1, page);
    assert.equal(tlb.invalidate(0, 5, 10), 10);
    for (let page = 0; page < 20; page++) {
      assert.equal(tlb.lookup(0, page) < 0, page >= 5 && page < 15);
      assert.equal(tlb.lookup(1, page), page);
    }
  });
});

describe("IOMMU", () => {
  it("assigns a function to one domain at a time (EBUSY), and to another after it was released", () => {
    const { iommu, f } = make();
    iommu.assign(f, 1);
    assert.throws(() => iommu.assign(f, 2), /EBUSY/);
    assert.equal(iommu.ownerOf(f), 1);
    iommu.release(f);
    iommu.assign(f, 2);
    assert.equal(iommu.ownerOf(f), 2);
  });

  it("translates within the domain's memory, at the price of a miss the first time", () => {
    const { iommu, f } = make();
    iommu.assign(f, 1);
    assert.equal(iommu.access(f, 5 * PAGE_SIZE, 1500, by, -1), MISS);
    assert.equal(iommu.access(f, 6 * PAGE_SIZE, 1500, by, -1), 0, "the same superpage");
    assert.equal(iommu.access(f, SUPERPAGE_PAGES * PAGE_SIZE - 100, 200, by, -1), MISS, "across into the next");
    assert.equal(iommu.access(f, 65 * SUPERPAGE_PAGES * PAGE_SIZE, 1, by, -1), MISS);
  });

  it("faults where nothing is mapped, transfers nothing, logs the routing id, and leaves other functions alone", () => {
    const { kernel, iommu, f, g } = make();
    iommu.assign(f, 1);
    iommu.assign(g, 2);
    assert.equal(iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 64, by, 77), REFUSED);
    assert.deepEqual(iommu.faultRecords(), [{ time: 0, routingId: 0x8680, page: DOMAIN_PAGES }]);
    assert.equal(count(kernel, "IOMMU fault"), 1);
    assert.equal(kernel.trace!.packet(1), 77);
    assert.notEqual(iommu.access(g, 0, 64, by, -1), REFUSED);
    assert.equal(iommu.access(f, DOMAIN_PAGES * PAGE_SIZE - 32, 64, by, -1), REFUSED, "one page of two");
  });

  it("maps all memory of a domain whose drivers' buffers want more of it, and takes it back", () => {
    const { iommu, memory, f } = make();
    const bytes = DOMAIN_PAGES * PAGE_SIZE;
    assert.throws(() => memory.allocateBuffer(3, bytes + 1), /DMA buffers/);
    memory.provide(1, bytes);
    memory.provide(2, 4096);
    assert.deepEqual([1, 2].map((domain) => memory.pagesOf(domain)), [2 * DOMAIN_PAGES, DOMAIN_PAGES]);
    assert.ok(memory.owns(1, memory.guestBase(1), 2 * DOMAIN_PAGES));
    assert.ok(memory.owns(2, memory.guestBase(2), DOMAIN_PAGES));
    memory.allocateBuffer(1, bytes);
    const last = memory.allocateBuffer(1, PAGE_SIZE);
    iommu.assign(f, 1);
    assert.notEqual(iommu.access(f, last, 64, by, -1), REFUSED);
    assert.equal(iommu.access(f, 2 * bytes, 64, by, -1), REFUSED, "beyond all of it");
    iommu.release(f);
    assert.equal(iommu["tables"].mapped(0), 0);
  });

  it("keeps the same addresses of two functions apart", () => {
    const { iommu, memory, f, g } = make();
    iommu.assign(f, 1);
    iommu.assign(g, 2);
    iommu.unmap(g, 0, 1);
    assert.notEqual(memory.guestBase(1), memory.guestBase(2));
    assert.notEqual(iommu.access(f, 0, 64, by, -1), REFUSED);
    assert.equal(iommu.access(g, 0, 64, by, -1), REFUSED, "the other function's translation is not used");
  });

  it("may hit a stale translation until the invalidation completes, and never after", () => {
    const { kernel, iommu, f } = make();
    iommu.assign(f, 1);
    iommu.access(f, 0, 64, by, -1);
    iommu.unmap(f, 0, 1);
    assert.notEqual(iommu.access(f, 0, 64, by, -1), REFUSED);
    assert.equal(count(kernel, "stale translation"), 1);
    while (kernel.dispatch());
    assert.equal(count(kernel, "IOTLB invalidation"), 1);
    assert.equal(iommu.access(f, 0, 64, by, -1), REFUSED);
    assert.notEqual(iommu.access(f, PAGE_SIZE, 64, by, -1), REFUSED, "the pages beside it are still mapped");
  });

  it("maps only what the function's owner owns", () => {
    const { iommu, memory, f } = make();
    iommu.assign(f, 1);
    const foreign = memory.allocate(2, 4);
    assert.equal(iommu.map(f, DOMAIN_PAGES, 4, foreign), false);
    assert.equal(iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 1, by, -1), REFUSED);
    memory.transfer(foreign, 4, 1);
    assert.equal(iommu.map(f, DOMAIN_PAGES, 4, foreign), true);
    assert.notEqual(iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 1, by, -1), REFUSED);
    assert.throws(() => iommu.map(f, DOMAIN_PAGES + 3, 1, foreign), /mapped already/);
  });

  it("takes bus-mastering from a function at the tenth fault in close succession: no DMA any more", () => {
    const { kernel, iommu, f, g } = make();
    iommu.assign(f, 1);
    iommu.assign(g, 2);
    for (let i = 0; i < 9; i++) iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 1, by, -1);
    assert.ok(iommu.isBusMaster(f));
    iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 1, by, -1);
    assert.equal(iommu.isBusMaster(f), false);
    assert.equal(count(kernel, "pci_check_disable_device"), 1);
    assert.equal(iommu.access(f, 0, 1, by, -1), REFUSED, "memory that is mapped");
    assert.ok(iommu.isBusMaster(g) && iommu.access(g, 0, 1, by, -1) !== REFUSED);
    assert.equal(iommu.faults, 10, "what cannot be asked for does not fault");
  });

  it("forgives faults that are more than 10 ms apart by half", () => {
    const { kernel, iommu, f } = make();
    iommu.assign(f, 1);
    const ticker = kernel.component("ticker", "test", "h", undefined, { fire: () => kernel.mark(0, ticker, 0, kernel.now, 0) });
    for (let i = 0; i < 100; i++) {
      iommu.access(f, DOMAIN_PAGES * PAGE_SIZE, 1, by, -1);
      kernel.schedule(10e9 + 1, 0, ticker, 0);
      kernel.dispatch();
    }
    assert.ok(iommu.isBusMaster(f));
  });

  it("drops an interrupt whose index is not assigned, or another function's", () => {
    const { kernel, iommu, f, g } = make();
    const index = iommu.addInterrupt(f);
    assert.equal(iommu.remap(f, index, by), -1);
    iommu.route(index, 5);
    assert.equal(iommu.remap(f, index, by), 5);
    assert.equal(iommu.remap(g, index, by), -1);
    assert.equal(iommu.remap(f, 99, by), -1);
    iommu.release(f);
    assert.equal(iommu.remap(f, index, by), -1);
    assert.equal(count(kernel, "interrupt not remapped"), 4);
  });

  it("checks no DMA when it is off", () => {
    const { iommu, f } = make(false);
    assert.equal(iommu.access(f, 99 * DOMAIN_PAGES * PAGE_SIZE, 1, by, -1), 0);
  });
});

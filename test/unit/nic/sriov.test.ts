import assert from "node:assert/strict";
import fc from "fast-check";
import { Store } from "../../../engine/kernel/state";
import { nicModels } from "../../../engine/machine/nic/model";
import { formatRoutingId } from "../../../engine/machine/nic/routingIds";
import { SrIov } from "../../../engine/machine/nic/sriov";
import { AdapterRig } from "../../support/adapterRig";

const model = nicModels["intel-82599"]!;

function sriov(vfs: number, { pf = 0x8600, ari = true, multiqueue = false } = {}): SrIov {
  const capability = new SrIov(new Store(), "nic", model, pf, multiqueue);
  assert.ok(capability.setAri(ari) && capability.setVfs(vfs));
  if (vfs > 0) assert.ok(capability.enable(true));
  return capability;
}

describe("SR-IOV capability", () => {
  it("gives VFs the routing ids of the examples: 86:10.0, 86:10.2 … 86:1f.6 beside 86:00.0, 86:10.1 beside 86:00.1, 87:10.0 without ARI", () => {
    const id = (capability: SrIov, vf: number): string => formatRoutingId(capability.routingIdOf(vf));
    assert.deepEqual([0, 1, 63].map((vf) => id(sriov(63), vf)), ["86:10.0", "86:10.2", "86:1f.6"]);
    assert.deepEqual([0, 1].map((vf) => id(sriov(2, { pf: 0x8601 }), vf)), ["86:10.1", "86:10.3"]);
    assert.equal(id(sriov(2, { ari: false }), 0), "87:10.0");
  });

  it("keeps routing ids apart from each other and from the PF's, and equal to PF + offset + stride · n", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 63 }), fc.boolean(), fc.integer({ min: 0, max: 200 }), (vfs, ari, bus) => {
      const capability = sriov(vfs, { ari, pf: bus * 256 });
      const ids = Array.from({ length: vfs }, (_, vf) => capability.routingIdOf(vf));
      assert.equal(new Set([...ids, capability.pf]).size, vfs + 1);
      ids.forEach((id, n) => assert.equal(id, bus * 256 + (ari ? 128 : 384) + 2 * n));
    }));
  });

  it("changes NumVFs and the hierarchy only while VF Enable is 0, and never beyond TotalVFs", () => {
    const capability = sriov(4);
    assert.equal(capability.setVfs(5), false);
    assert.equal(capability.setAri(false), false);
    assert.equal(capability.vfs, 4);
    assert.equal(formatRoutingId(capability.routingIdOf(0)), "86:10.0");
    assert.ok(capability.enable(false) && capability.setVfs(64));
    assert.equal(capability.setVfs(65), false);
    assert.equal(capability.enable(true), false, "64 VFs would leave the PF without a pool");
    assert.equal(capability.usableVfs, 63);
  });

  it("divides the queues by the number of functions: 16 × 8 below 16 VFs, 32 × 4 below 32, 64 × 2 above", () => {
    const pools = (vfs: number, multiqueue = false): string => {
      const layout = sriov(vfs, { multiqueue }).layout!;
      return `${layout.pools}x${layout.queues}`;
    };
    assert.deepEqual([1, 15, 16, 31, 32, 63].map((vfs) => pools(vfs)), ["16x8", "16x8", "32x4", "32x4", "64x2", "64x2"]);
    assert.equal(pools(1, true), "32x4", "the layout of 16 pools has no RSS");
    assert.equal(sriov(0).layout, undefined);
  });

  it("gives VF v, queue q the number v × queues of a pool + q, the PF the pool after the VFs, and no queue to two", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 63 }), fc.constantFrom(1, 2, 4), (vfs, queues) => {
      const { nic } = new AdapterRig(vfs, {}, queues);
      const perPool = nic.sriov.layout!.queues;
      nic.functions.forEach((unit, f) => {
        assert.equal(unit.pool, f === 0 ? vfs : f - 1);
        unit.queues.forEach(({ number }, q) => assert.equal(number, unit.pool * perPool + q));
        assert.ok(unit.queues.length <= perPool);
      });
      const numbers = nic.queues.map(({ number }) => number);
      assert.equal(new Set(numbers).size, numbers.length);
      assert.ok(Math.max(...numbers) < 128);
      assert.ok(nic.sriov.layout!.pools * perPool <= 128);
    }), { numRuns: 30 });
  });

  it("lets a VF use two queue pairs at most: it has three vectors", () => {
    const { nic } = new AdapterRig(3, {}, 4);
    assert.deepEqual(nic.functions.map(({ queues }) => queues.length), [4, 2, 2, 2]);
  });
});

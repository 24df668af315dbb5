import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import { FunctionUse } from "../../../engine/machine/nic/functionUse";
import { Store } from "../../../engine/kernel/state";
import { designOf } from "../../support/runDesign";

describe("the use of PCI functions", () => {
  it("is how long who held each, and how many VFs were held when", () => {
    const use = new FunctionUse(new Store(), "nic");
    for (const [f, domain, at] of [[0, 7, 0], [1, 3, 10], [2, 4, 20], [1, -1, 30], [1, 4, 50], [2, -1, 60], [2, 3, 60]] as const) use.changed(f, domain, at);
    assert.deepEqual(use.holdings(0, 100), [{ domain: 7, time: 100 }]);
    assert.deepEqual(use.holdings(1, 100), [{ domain: 4, time: 50 }, { domain: 3, time: 20 }]);
    assert.deepEqual(use.holdings(2, 100), [{ domain: 3, time: 40 }, { domain: 4, time: 40 }]);
    assert.deepEqual(use.holdings(3, 100), []);
    assert.deepEqual(use.held(), [{ from: 0, held: 0 }, { from: 10, held: 1 }, { from: 20, held: 2 }, { from: 30, held: 1 }, { from: 50, held: 2 }]);
  });

  it("in a run is that of a look at the owners after every dispatch", () => {
    const engine = createEngine(designOf(readFileSync("samples/switching/vf-scarcity.exo.yaml", "utf8")));
    const { state, functions } = engine.built.machine.nics.get("server/nic0")!;
    const held = functions.map(() => new Map<number, number>());
    let owners = state.owner.slice(0, functions.length);
    let time = 0;
    let used = 0;
    while (engine.time < 2.6e12 && engine.dispatch()) {
      owners.forEach((domain, f) => {
        if (domain < 0) return;
        held[f]!.set(domain, (held[f]!.get(domain) ?? 0) + engine.time - time);
        if (f > 0) used += engine.time - time;
      });
      owners = state.owner.slice(0, functions.length);
      time = engine.time;
    }
    const pathOf = (domain: number): string | undefined => engine.built.domains.find(({ id }) => id === domain)?.path;
    const r = report(engine);
    for (const [f, times] of held.entries()) {
      const summary = r.pciFunctions.find((each) => each.function === functions[f]!.path)!;
      assert.deepEqual(new Map(summary.holders.map((holder) => [holder.domain, holder.time])), new Map([...times].map(([domain, held]) => [pathOf(domain)!, held])));
      assert.equal(summary.domain, pathOf(owners[f]!));
    }
    assert.equal(held[1]!.size, 2, "the VF changes hands");
    const [adapter, ...others] = r.adapters;
    assert.deepEqual([adapter!.device, adapter!.vfs, adapter!.most, others], ["server/nic0", 1, 1, []]);
    assert.ok(Math.abs(adapter!.mean - used / time) < 1e-12 && adapter!.mean < 0.9, `${adapter!.mean}`);
  });
});

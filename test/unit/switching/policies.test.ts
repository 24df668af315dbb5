import assert from "node:assert/strict";
import fc from "fast-check";
import type { Decision, Mode, Sample } from "../../../engine/policy/policy";
import { threshold } from "../../../engine/policy/threshold";
import { vfScarcity } from "../../../engine/policy/vfScarcity";

const sample = (mode: Mode, bits: number, frames = bits / 8000, dwelt = Infinity): Sample => ({ mode, bits, frames, dwelt });

describe("the threshold policy", () => {
  const decide = threshold("bits", 1000, 200, 500);

  it("goes direct from one threshold on, back below the other, and stays in between", () => {
    assert.deepEqual(decide([sample("server", 1000)], 0), [{ application: 0, to: "direct" }]);
    assert.deepEqual(decide([sample("direct", 199)], 0), [{ application: 0, to: "server" }]);
    for (const mode of ["server", "direct"] as const) for (const bits of [200, 600, 999]) assert.deepEqual(decide([sample(mode, bits)], 0), []);
    assert.deepEqual(decide([sample("server", 0), sample("direct", 5000)], 0), []);
  });

  it("leaves alone who switches", () => {
    assert.deepEqual(decide([sample("switching", 0), sample("switching", 1e9)], 0), []);
  });

  it("leaves alone who has just switched", () => {
    assert.deepEqual(decide([sample("direct", 0, 0, 499), sample("server", 5000, 1, 499)], 0), []);
    assert.deepEqual(decide([sample("direct", 0, 0, 500)], 0), [{ application: 0, to: "server" }]);
  });

  it("counts frames where it is told to", () => {
    assert.deepEqual(threshold("frames", 100, 10, 0)([sample("server", 1, 100)], 0), [{ application: 0, to: "direct" }]);
  });
});

describe("the policy for scarce VFs", () => {
  it("gives what is free to the busiest, and to nobody who carries nothing", () => {
    const samples = [sample("server", 10), sample("server", 0), sample("server", 30)];
    assert.deepEqual(vfScarcity(0.25)(samples, 1), [{ application: 2, to: "direct" }]);
    assert.deepEqual(vfScarcity(0.25)(samples, 5).map(({ application }) => application), [2, 0]);
  });

  it("takes a VF away for one that carries clearly more, from the one that carries least", () => {
    const decide = vfScarcity(0.25);
    assert.deepEqual(decide([sample("direct", 100), sample("direct", 80), sample("server", 101)], 0), [{ application: 1, to: "server" }]);
    assert.deepEqual(decide([sample("direct", 100), sample("direct", 81), sample("server", 101)], 0), []);
    assert.deepEqual(decide([sample("direct", 1), sample("switching", 50), sample("server", 100)], 0), [], "one change at a time");
  });

  it("asks for no more than is free, and for nobody twice, whatever the loads", () => {
    const mode = fc.constantFrom<Mode>("server", "direct", "switching");
    const samples = fc.array(fc.record({ mode, bits: fc.nat({ max: 1000 }), frames: fc.nat(), dwelt: fc.nat() }), { maxLength: 8 });
    fc.assert(fc.property(samples, fc.nat({ max: 4 }), (now, free) => {
      const decisions: readonly Decision[] = vfScarcity(0.1)(now, free);
      assert.equal(new Set(decisions.map(({ application }) => application)).size, decisions.length);
      for (const { application, to } of decisions) assert.equal(now[application]!.mode, to === "direct" ? "server" : "direct");
      assert.ok(decisions.filter(({ to }) => to === "direct").length <= free);
      assert.ok(free > 0 || decisions.length <= 1);
    }));
  });
});

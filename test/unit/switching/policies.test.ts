import assert from "node:assert/strict";
import fc from "fast-check";
import type { Decision, Mode, Sample } from "../../../engine/policy/policy";
import { threshold } from "../../../engine/policy/threshold";
import { vfScarcity } from "../../../engine/policy/vfScarcity";

const sample = (mode: Mode, bits: number, frames = bits / 8000, dwelt = Infinity): Sample => ({ mode, bits, frames, dwelt, has: undefined, suitable: [], free: [] });

/** Of one adapter: who is direct has a function of it, and all can have those that are free. */
const ofOneAdapter = (free: readonly string[], ...samples: readonly Sample[]): Sample[] => {
  const has = samples.map(({ mode }, i) => (mode === "direct" ? `vf${i}` : undefined));
  const suitable = [...free, ...has.filter((f) => f !== undefined)];
  return samples.map((one, i) => ({ ...one, has: has[i], suitable, free }));
};

describe("the threshold policy", () => {
  const decide = threshold("bits", 1000, 200, 500);

  it("goes direct from one threshold on, back below the other, and stays in between", () => {
    assert.deepEqual(decide([sample("server", 1000)]), [{ application: 0, to: "direct" }]);
    assert.deepEqual(decide(ofOneAdapter([], sample("direct", 199))), [{ application: 0, to: "server" }]);
    for (const mode of ["server", "direct"] as const) for (const bits of [200, 600, 999]) assert.deepEqual(decide([sample(mode, bits)]), []);
    assert.deepEqual(decide([sample("server", 0), sample("direct", 5000)]), []);
  });

  it("leaves alone who switches", () => {
    assert.deepEqual(decide([sample("switching", 0), sample("switching", 1e9)]), []);
  });

  it("leaves alone who has just switched", () => {
    assert.deepEqual(decide([sample("direct", 0, 0, 499), sample("server", 5000, 1, 499)]), []);
    assert.deepEqual(decide([sample("direct", 0, 0, 500)]), [{ application: 0, to: "server" }]);
  });

  it("counts frames where it is told to", () => {
    assert.deepEqual(threshold("frames", 100, 10, 0)([sample("server", 1, 100)]), [{ application: 0, to: "direct" }]);
  });
});

describe("the policy for scarce VFs", () => {
  it("gives what is free to the busiest, and to nobody who carries nothing", () => {
    const samples = [sample("server", 10), sample("server", 0), sample("server", 30)];
    assert.deepEqual(vfScarcity(0.25)(ofOneAdapter(["a"], ...samples)), [{ application: 2, to: "direct" }]);
    assert.deepEqual(vfScarcity(0.25)(ofOneAdapter(["a", "b", "c"], ...samples)).map(({ application }) => application), [2, 0]);
  });

  it("does not wait for functions of adapters that nobody who waits can drive", () => {
    const idle: Sample = { ...sample("server", 0), suitable: ["other"], free: ["other"] };
    const holder: Sample = { ...sample("direct", 0), has: "vf", suitable: ["vf"] };
    const waiting: Sample = { ...sample("server", 50), suitable: ["vf"] };
    assert.deepEqual(vfScarcity(0.25)([holder, waiting, idle]), [{ application: 0, to: "server" }]);
    assert.deepEqual(vfScarcity(0.25)([{ ...holder, has: "third", suitable: ["third"] }, waiting, idle]), [], "it could not drive what the holder has");
  });

  it("takes nothing from the dead", () => {
    assert.deepEqual(vfScarcity(0.25)(ofOneAdapter([], sample("down", 0), sample("direct", 20), sample("server", 100))), [{ application: 1, to: "server" }]);
    assert.deepEqual(threshold("bits", 1000, 200, 0)([sample("down", 0)]), []);
  });

  it("takes a VF away for one that carries clearly more, from the one that carries least", () => {
    const decide = vfScarcity(0.25);
    assert.deepEqual(decide(ofOneAdapter([], sample("direct", 100), sample("direct", 80), sample("server", 101))), [{ application: 1, to: "server" }]);
    assert.deepEqual(decide(ofOneAdapter([], sample("direct", 100), sample("direct", 81), sample("server", 101))), []);
    assert.deepEqual(decide(ofOneAdapter([], sample("direct", 1), sample("switching", 50), sample("server", 100))), [], "one change at a time");
  });

  it("asks for no more than is free, and for nobody twice, whatever the loads", () => {
    const mode = fc.constantFrom<Mode>("server", "direct", "switching", "down");
    const samples = fc.array(fc.record({ mode, bits: fc.nat({ max: 1000 }) }), { maxLength: 8 });
    fc.assert(fc.property(samples, fc.nat({ max: 4 }), (loads, free) => {
      const now = ofOneAdapter(["a", "b", "c", "d"].slice(0, free), ...loads.map((one) => sample(one.mode, one.bits)));
      const decisions: readonly Decision[] = vfScarcity(0.1)(now);
      assert.equal(new Set(decisions.map(({ application }) => application)).size, decisions.length);
      for (const { application, to } of decisions) assert.equal(now[application]!.mode, to === "direct" ? "server" : "direct");
      assert.ok(decisions.filter(({ to }) => to === "direct").length <= free);
      assert.ok(free > 0 || decisions.length <= 1);
    }));
  });
});

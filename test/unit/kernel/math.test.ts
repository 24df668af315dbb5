import assert from "node:assert/strict";
import { cbrt, log } from "../../../engine/kernel/math";

/** Units in the last place between two doubles of one sign. */
function ulps(a: number, b: number): number {
  const bits = (x: number): bigint => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    return view.getBigInt64(0);
  };
  return Math.abs(Number(bits(a) - bits(b)));
}

/** Numbers of all sizes, equally spread over the exponents. */
function* samples(): Generator<number> {
  let state = 12345;
  for (let exponent = -1070; exponent < 1023; exponent += 3) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield (1 + state / 2 ** 32) * 2 ** exponent;
  }
}

describe("elementary functions", () => {
  it("log agrees with the platform's to one unit in the last place", () => {
    for (const x of samples()) assert.ok(ulps(log(x), Math.log(x)) <= 1, `log(${x}) = ${log(x)}, not ${Math.log(x)}`);
    for (let x = 0.5; x < 2; x += 0.0007) assert.ok(ulps(log(x), Math.log(x)) <= 1, `log(${x})`);
  });

  it("log of the special values", () => {
    assert.equal(log(1), 0);
    assert.equal(log(0), -Infinity);
    assert.equal(log(Infinity), Infinity);
    assert.ok(Number.isNaN(log(-1)) && Number.isNaN(log(NaN)));
    assert.equal(log(10), 2.302585092994046);
  });

  it("cbrt agrees with the platform's to one unit in the last place, and cubes come out whole", () => {
    for (const x of samples()) assert.ok(ulps(cbrt(x), Math.cbrt(x)) <= 1, `cbrt(${x}) = ${cbrt(x)}, not ${Math.cbrt(x)}`);
    for (let n = -2000; n <= 2000; n++) assert.equal(cbrt(n * n * n), n);
    assert.equal(cbrt(Infinity), Infinity);
    assert.ok(Number.isNaN(cbrt(NaN)));
  });
});

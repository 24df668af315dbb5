import assert from "node:assert/strict";
import { formatQuantity, readFraction, readQuantity } from "../../../engine/design/units";
import type { Quantity } from "../../../engine/design/units";

const READ: readonly [Quantity, string, number][] = [
  ["size", "8KiB", 8192], ["size", "8kB", 8000], ["size", "128", 128], ["size", "0.5 MiB", 524288], ["size", "0", 0],
  ["time", "0", 0], ["time", "2us", 2e6], ["time", "2µs", 2e6], ["time", "2.5 ms", 2.5e9], ["time", "800ps", 800], ["time", "0.1ns", 100], ["time", "1min", 60e12],
  ["rate", "10Gbps", 1e10], ["rate", "10Gb/s", 1e10], ["rate", "2.5Gbit/s", 2.5e9], ["rate", "1e3Mbps", 1e9],
];

const REFUSED: readonly [Quantity, string, string, string?][] = [
  ["time", "20", "bad-unit"], ["time", "20 sec", "bad-unit"], ["time", "20MS", "bad-unit", "20ms"], ["rate", "10GBPS", "bad-unit", "10Gbps"],
  ["size", "8kib", "bad-unit", "8KiB"], ["size", "-1", "out-of-range", "1"], ["time", "-5ms", "out-of-range", "5ms"], ["time", "-5", "wrong-type"], ["time", "--5ms", "wrong-type"], ["size", "", "wrong-type"], ["time", "soon", "wrong-type"], ["time", "1e9s", "out-of-range"],
  ["time", "1e999s", "out-of-range"], ["size", "1.2.3KiB", "wrong-type"],
];

describe("units", () => {
  for (const [kind, text, value] of READ) {
    it(`${kind} ${JSON.stringify(text)} is ${value}`, () => assert.deepEqual(readQuantity(kind, text), { value }));
  }
  for (const [kind, text, failure, instead] of REFUSED) {
    it(`${kind} ${JSON.stringify(text)} is refused: ${failure}`, () => {
      const reading = readQuantity(kind, text);
      assert.ok("failure" in reading);
      assert.equal(reading.failure, failure);
      assert.equal(reading.instead, instead);
    });
  }

  it("fractions are per cent or plain", () => {
    assert.deepEqual(readFraction("1%"), { value: 0.01 });
    assert.deepEqual(readFraction("0.01"), { value: 0.01 });
    assert.deepEqual(readFraction("100 %"), { value: 1 });
    for (const text of ["101%", "1.5"]) assert.equal("failure" in readFraction(text) && "out-of-range", "out-of-range");
    for (const text of ["-1%", "1Gbps", ""]) assert.ok("failure" in readFraction(text));
  });

  it("are spelled with the largest fitting unit, and read back", () => {
    const spelled: readonly [Quantity, number, string][] = [
      ["size", 8192, "8KiB"], ["size", 1000, "1000B"], ["time", 2e6, "2us"], ["time", 1.5e9, "1.5ms"], ["time", 0, "0ps"], ["rate", 1e10, "10Gbps"], ["size", 1048576, "1MiB"],
    ];
    for (const [kind, value, text] of spelled) {
      assert.equal(formatQuantity(kind, value), text);
      assert.deepEqual(readQuantity(kind, text), { value });
    }
  });
});

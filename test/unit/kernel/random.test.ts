import assert from "node:assert/strict";
import { RandomStreams } from "../../../engine/kernel/random";
import { Store } from "../../../engine/kernel/state";

const draws = (streams: RandomStreams, stream: number): number[] => Array.from({ length: 8 }, () => streams.next(stream));

describe("random streams", () => {
  it("depend on seed, component and purpose, not on what else is drawn or in which order streams are opened", () => {
    const alone = new RandomStreams(new Store(), 7);
    const expected = draws(alone, alone.open("a/b", "loss"));
    const crowded = new RandomStreams(new Store(), 7);
    const other = crowded.open("a/c", "loss");
    draws(crowded, other);
    assert.deepEqual(draws(crowded, crowded.open("a/b", "loss")), expected);
    assert.notDeepEqual(draws(crowded, crowded.open("a/b", "arrivals")), expected);
    const reseeded = new RandomStreams(new Store(), 8);
    assert.notDeepEqual(draws(reseeded, reseeded.open("a/b", "loss")), expected);
  });

  it("are uniform: mean and variance within five standard errors, and every bit as often set as not", () => {
    const n = 100_000;
    const streams = new RandomStreams(new Store(), 1);
    const stream = streams.open("x", "y");
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const u = streams.uniform(stream);
      assert.ok(u >= 0 && u < 1);
      sum += u;
      squares += (u - 0.5) ** 2;
    }
    assert.ok(Math.abs(sum / n - 0.5) < 5 / Math.sqrt(12 * n));
    assert.ok(Math.abs(squares / n - 1 / 12) < 5 / Math.sqrt(180 * n));
    const ones = new Array<number>(32).fill(0);
    for (let i = 0; i < n; i++) {
      const word = streams.next(stream);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
    }
    for (const count of ones) assert.ok(Math.abs(count - n / 2) < 2.5 * Math.sqrt(n));
  });
});

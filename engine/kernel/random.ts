import type { Store, Table } from "./state";

/**
 * Random streams keyed by (seed, component path, purpose): adding, removing or moving a component leaves the draws of all
 * others as they were. The generator is xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded by SplitMix32 over an FNV-1a hash of the key.
 */
export class RandomStreams {
  private readonly state: Table<{ readonly s0: "u32"; readonly s1: "u32"; readonly s2: "u32"; readonly s3: "u32" }>;

  constructor(store: Store, private readonly seed: number) {
    this.state = store.table("random streams", { s0: "u32", s1: "u32", s2: "u32", s3: "u32" });
  }

  /** A new stream. `purpose` tells apart the streams of one component. */
  open(path: string, purpose: string): number {
    let x = (fnv1a(`${path}\0${purpose}`) ^ Math.imul(this.seed, 0x9e3779b1)) >>> 0;
    const next = (): number => {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    const stream = this.state.alloc();
    this.state.s0[stream] = next();
    this.state.s1[stream] = next();
    this.state.s2[stream] = next();
    this.state.s3[stream] = next() | 1;
    return stream;
  }

  /** An unsigned 32-bit integer. */
  next(stream: number): number {
    const { s0, s1, s2, s3 } = this.state;
    const x1 = s1[stream]!;
    const scrambled = Math.imul(x1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const x2 = s2[stream]! ^ s0[stream]!;
    const x3 = s3[stream]! ^ x1;
    s1[stream] = x1 ^ x2;
    s0[stream] = s0[stream]! ^ x3;
    s2[stream] = x2 ^ (x1 << 9);
    s3[stream] = (x3 << 11) | (x3 >>> 21);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(stream: number): number {
    const high = this.next(stream) >>> 5;
    const low = this.next(stream) >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

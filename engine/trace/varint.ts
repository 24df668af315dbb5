const TWO_31 = 0x8000_0000;

/** Writes a whole number from 0 to 2⁵³, seven bits a byte, the lowest first; returns where it ends. */
export function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= TWO_31) {
    const above = Math.floor(rest / 128);
    out[at++] = (rest - above * 128) | 128;
    rest = above;
  }
  while (rest > 127) {
    out[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** 128⁷: of the last of eight bytes. */
const LARGEST_SCALE = 0x2_0000_0000_0000;

/** Reads what {@link writeVarint} wrote. */
export class VarintReader {
  constructor(private readonly bytes: Uint8Array, public at: number) {}

  /** @throws RangeError at the end of the bytes */
  next(): number {
    let value = 0;
    let scale = 1;
    for (let byte = 128; byte > 127 && scale <= LARGEST_SCALE; scale *= 128) {
      if (this.at >= this.bytes.length) throw new RangeError(`no number at byte ${this.at}`);
      byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
    }
    return value;
  }
}

import type { Trace } from "./trace";

/**
 * A hash over all columns of all rows, 16 hexadecimal digits: equal for equal runs on every platform. Two 32-bit
 * multiply-and-rotate lanes over the columns' words, chunk by chunk (the finaliser is MurmurHash3's).
 */
export function fingerprint(trace: Trace): string {
  let h1 = 0x9747b28c;
  let h2 = 0x2f0b4c47;
  const words = (column: Float64Array | Uint32Array | Uint16Array | Int32Array, rows: number): void => {
    const bytes = rows * column.BYTES_PER_ELEMENT;
    const view = new DataView(column.buffer, column.byteOffset, bytes);
    let at = 0;
    for (; at + 4 <= bytes; at += 4) {
      const word = view.getUint32(at, true);
      h1 = Math.imul(h1 ^ word, 0xcc9e2d51);
      h1 = (h1 << 15) | (h1 >>> 17);
      h2 = (Math.imul(h2 + word, 0x1b873593) ^ (h1 >>> 7)) | 0;
    }
    for (; at < bytes; at++) h1 = Math.imul(h1 ^ view.getUint8(at), 0x85ebca6b);
  };
  let left = trace.length;
  for (const chunk of trace.chunks) {
    const rows = Math.min(left, chunk.time.length);
    left -= rows;
    for (const column of [
      chunk.time, chunk.begin, chunk.cost, chunk.fn, chunk.component, chunk.context, chunk.vcpu, chunk.packet, chunk.cause, chunk.enabler, chunk.a, chunk.b,
    ]) words(column, rows);
  }
  return hex(mix(h1)) + hex(mix(h2 ^ h1 ^ trace.length));
}

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/** A checksum of 32 bits over bytes: tells damage, not intent. Multiply and rotate, a word at a time (as xxHash's and MurmurHash3's rounds). */
export function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let h = bytes.length | 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    h = Math.imul(h + Math.imul(view.getInt32(at, true), 0xcc9e2d51), 0x1b873593);
    h = (h << 13) | (h >>> 19);
  }
  for (; at < bytes.length; at++) {
    h = Math.imul(h + Math.imul(bytes[at]!, 0xcc9e2d51), 0x1b873593);
    h = (h << 13) | (h >>> 19);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

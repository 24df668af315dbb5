/**
 * One's complement sum of 16-bit words, not yet folded (RFC 1071). An odd last byte counts as the high one of its word, so only
 * the last piece of a message may be odd.
 * @param sum of the pieces before
 */
export function addToSum(bytes: Uint8Array, from: number, to: number, sum = 0): number {
  let i = from;
  for (; i + 1 < to; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return i < to ? sum + (bytes[i]! << 8) : sum;
}

/** The Internet checksum of a sum (RFC 1071). */
export function foldChecksum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

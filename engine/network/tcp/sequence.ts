/** Sequence numbers are modulo 2^32 (RFC 9293 section 3.4): compare by signed distance only. */

/** a − b, right while the two are less than 2^31 apart. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** The later of two. */
export function later(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? b : a;
}

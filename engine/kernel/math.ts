/**
 * The elementary functions that the models need. ECMAScript leaves the accuracy of `Math.log` and its like open, and engines differ in the
 * last bit; these use only additions, multiplications, divisions and the bits of a double, which IEEE 754 defines exactly.
 *
 * Methods and constants: fdlibm (Sun Microsystems, 1993), `e_log.c`, and FreeBSD's `s_cbrt.c` (Evans, after Kahan's BSD version).
 */

/** A double as two words. The high word holds sign, exponent and the first 20 bits of the fraction. */
const word = new DataView(new ArrayBuffer(8));

function highWord(x: number): number {
  word.setFloat64(0, x);
  return word.getInt32(0);
}

/** ln 2, in a part with trailing zeros, whose product with an exponent is exact, and the rest. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** ln(1 + f) = f − (f²/2 − s·(f²/2 + R(s²))), s = f/(2 + f): Remez coefficients of R, error below 2^−58.45. */
const L1 = 6.66666666666673513e-1;
const L2 = 3.999999999940941908e-1;
const L3 = 2.857142874366239149e-1;
const L4 = 2.222219843214978396e-1;
const L5 = 1.818357216161805012e-1;
const L6 = 1.531383769920937332e-1;
const L7 = 1.479819860511658591e-1;

const TWO54 = 18014398509481984;

/** The natural logarithm, within one unit in the last place; −∞ of 0, NaN of what is negative. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let exponent = 0;
  let scaled = x;
  if (highWord(scaled) < 0x00100000) {
    scaled *= TWO54;
    exponent = -54;
  }
  // scaled = 2^exponent · m with sqrt(1/2) < m < sqrt(2): 0x6a09e is the fraction of sqrt(2).
  const high = highWord(scaled);
  const fraction = high & 0xfffff;
  const up = (fraction + 0x95f64) & 0x100000;
  exponent += (high >> 20) - 1023 + (up >> 20);
  word.setInt32(0, fraction | (up ^ 0x3ff00000));
  const f = word.getFloat64(0) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const r = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6));
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + r) + exponent * LN2_LOW) - f);
}

/** (1023 − 1023/3 − 0.03306235651) · 2^20: what turns a third of the high word into that of a cube root. */
const CBRT_BIAS = 715094163;
/** |1/cbrt(x) − p(x)| < 2^−23.5 for p's argument t³/x, |t³/x − 1| < 1/10. */
const C0 = 1.87595182427177009643;
const C1 = -1.88497979543377169875;
const C2 = 1.62142972010535446614;
const C3 = -0.758397934778766047437;
const C4 = 0.145996192886612446982;
const TWO18 = 262144;

/** The cube root, within 0.667 units in the last place. */
export function cbrt(x: number): number {
  if (x === 0 || x - x !== 0) return x;
  const size = x < 0 ? -x : x;
  // Numbers without a full exponent are scaled by 2^54, whose cube root is 2^18.
  const subnormal = highWord(size) < 0x00100000;
  const a = subnormal ? size * TWO54 : size;
  word.setInt32(0, Math.floor(highWord(a) / 3) + CBRT_BIAS);
  word.setInt32(4, 0);
  // To 5 bits, then to 23.
  let t = word.getFloat64(0);
  let r = t * t * (t / a);
  t *= C0 + r * (C1 + r * C2) + r * r * r * (C3 + r * C4);
  // Rounded to 23 bits, away from zero, so that t² is exact; then one Newton step.
  word.setFloat64(0, t);
  const low = word.getUint32(4);
  if (low >= 0x80000000) word.setInt32(0, word.getInt32(0) + 1);
  word.setUint32(4, ((low + 0x80000000) & 0xc0000000) >>> 0);
  t = word.getFloat64(0);
  r = a / (t * t);
  t += t * ((r - t) / (t + t + r));
  const root = subnormal ? t / TWO18 : t;
  return x < 0 ? -root : root;
}

import { CAUSE, CHUNK_ROWS, COST, FIRST, PACKET, WHAT, WORD_BITS } from "../chunk";
import { COST_BITS, HEADER_WORDS, IRREGULAR_WORDS, MOST_WORDS } from "../chunkLayout";

/**
 * Packs the rows of a chunk as chunkLayout.ts says. This is AssemblyScript, a dialect of TypeScript: `npm run wasm` compiles it to encodeRows.json,
 * to be loaded by chunkCodec.ts.
 *
 * A row's eight words are two vectors of four. What differs from what is expected gives a mask of each, by which the words that are said are
 * shuffled to the front; all four are stored, and the place moves on by those that count. There is no branch but for a pair of
 * rows of which one is irregular: it is noted, and looked at after the loop.
 */

const TIMES_OF_ROW = 16;
const WORDS_OF_ROW = 4 << WORD_BITS;
/** Of the first vector of a row's words, and of the second. */
const VECTOR = 16;

/** The rows, behind one that stands for what comes before the first. */
const TIMES_BEFORE: usize = memory.data((1 + CHUNK_ROWS) * TIMES_OF_ROW, 16);
const WORDS_BEFORE: usize = memory.data((1 + CHUNK_ROWS) * WORDS_OF_ROW, 16);
export const TIMES: usize = TIMES_BEFORE + TIMES_OF_ROW;
export const WORDS: usize = WORDS_BEFORE + WORDS_OF_ROW;
/** The packed chunk, and a vector more: what does not count is stored all the same. */
export const PACKED: usize = memory.data((HEADER_WORDS + CHUNK_ROWS * (MOST_WORDS + IRREGULAR_WORDS)) * 4 + VECTOR, 8);
/** Which row begins each pair of which one is irregular. */
const PAIRS: usize = memory.data(CHUNK_ROWS * 2, 4);

store<i32>(WORDS_BEFORE, -1, PACKET * 4);

/** By which of four words are said: the control that shuffles those to the front. */
const SHUFFLES: usize = memory.data(16 * VECTOR, 16);
for (let said = 0; said < 16; said++) {
  let to: usize = SHUFFLES + said * VECTOR;
  for (let byte = 0; byte < VECTOR; byte++) {
    if (((said >> (byte >> 2)) & 1) !== 0) store<u8>(to++, byte);
  }
}

/** 2⁵² and −2⁵², and what is not said of step, enabler, a and b: in memory, since a constant would be made anew wherever it is used. */
const UNITS: usize = memory.data<f64>([4503599627370496.0, -4503599627370496.0], 16);
const UNSAID: usize = memory.data<i32>([0, -1, 0, 0], 16);

/** Parts of the loop's body. */
class Row {
  /** 2⁵² and how much later a row is than the one before: the lower half of it, if that is a whole number of 32 bits. */
  @inline
  static moved(times: v128, timesBefore: v128, units: v128): v128 {
    return f64x2.add(f64x2.sub(times, timesBefore), units);
  }

  /** All ones in the first half if the row's time follows from the step, and in the second if when the row before began does. */
  @inline
  static regular(time: usize, word: usize, times: v128, timesBefore: v128, valuesBefore: v128, step: v128, units: v128): v128 {
    // The row before ended when this one began; before a dispatch's first row, at its own time, which lies 24 bytes before. FIRST is a sign.
    if (FIRST !== 0x8000) ERROR("FIRST must be the sign of the lower half of WHAT");
    const from = v128.load64_lane(time + (((<i32>load<i16>(word, WHAT * 4)) >> 15) & -24), timesBefore, 1, 8);
    // Step and cost as the last bits of 2⁵² and −2⁵², less these: what is added, and taken away.
    const integers = v128.shuffle<i32>(v128.shuffle<i64>(step, valuesBefore, 0, 2), units, 0, 5, 2, 7);
    return f64x2.eq(f64x2.add(from, f64x2.sub(integers, units)), v128.shuffle<i64>(times, timesBefore, 0, 3));
  }

  /** Packs a row, and returns where the next one goes. */
  @inline
  static pack(at: usize, number: i32, names: v128, namesBefore: v128, values: v128, step: v128, unsaid: v128): usize {
    const others = v128.shuffle<i32>(step, values, 0, 5, 6, 7);
    const first = i32x4.bitmask(i32x4.eq(names, i32x4.replace_lane(namesBefore, <u8>CAUSE, number - 1))) ^ 15;
    const second = (i32x4.bitmask(i32x4.eq(others, unsaid)) ^ 15) * VECTOR;
    v128.store32_lane(at, values, 0);
    store<u8>(at, first + second, COST_BITS / 8);
    v128.store(at, v128.swizzle(names, v128.load(first * VECTOR, SHUFFLES)), 4);
    at = at + popcnt(first) * 4 + 4;
    v128.store(at, v128.swizzle(others, v128.load(second, SHUFFLES)));
    return at + popcnt(second) * 4;
  }
}

/** Writes the entry of a row, if it is irregular, and returns where the next one goes. */
function correct(at: usize, row: i32): usize {
  const time: usize = TIMES + row * TIMES_OF_ROW;
  const word: usize = WORDS + row * WORDS_OF_ROW;
  const times = v128.load(time);
  const timesBefore = v128.load(time - TIMES_OF_ROW);
  const units = v128.load(UNITS);
  const regular = Row.regular(time, word, times, timesBefore, v128.load(word - WORDS_OF_ROW + VECTOR), Row.moved(times, timesBefore, units), units);
  const cost = load<u32>(word, COST * 4) >>> COST_BITS;
  if (cost === 0 && i64x2.all_true(regular)) return at;
  store<u32>(at, (row << (32 - COST_BITS)) | cost);
  store<f64>(at, load<f64>(time), 4);
  store<f64>(at, load<f64>(time - 8), 12);
  return at + IRREGULAR_WORDS * 4;
}

/**
 * @param rows of the chunk at TIMES and WORDS, at least one
 * @param base number of the first in the trace
 * @returns how many bytes at PACKED are the chunk
 */
export function encode(rows: i32, base: i32): usize {
  const start = load<f64>(TIMES);
  store<f64>(TIMES_BEFORE, start);
  store<f64>(TIMES_BEFORE, (load<u32>(WORDS, WHAT * 4) & FIRST) !== 0 ? start : load<f64>(TIMES, 8), 8);
  const units = v128.load(UNITS);
  const unsaid = v128.load(UNSAID);
  let time = TIMES;
  let word = WORDS;
  let times = v128.load(TIMES_BEFORE);
  let names = v128.load(WORDS_BEFORE);
  let values = v128.load(WORDS_BEFORE, VECTOR);
  let at: usize = PACKED + HEADER_WORDS * 4;
  let between = at;
  let pairs = PAIRS;
  // Two rows a turn, which spares moving what the first leaves for the second.
  for (let row = 0; row < rows; row += 2) {
    const times1 = v128.load(time);
    const names1 = v128.load(word);
    const values1 = v128.load(word, VECTOR);
    const step1 = Row.moved(times1, times, units);
    const regular1 = Row.regular(time, word, times1, times, values, step1, units);
    between = Row.pack(at, base + row, names1, names, values1, step1, unsaid);

    times = v128.load(time, TIMES_OF_ROW);
    names = v128.load(word, WORDS_OF_ROW);
    values = v128.load(word, WORDS_OF_ROW + VECTOR);
    const step2 = Row.moved(times, times1, units);
    const regular2 = Row.regular(time + TIMES_OF_ROW, word + WORDS_OF_ROW, times, times1, values1, step2, units);
    at = Row.pack(between, base + row + 1, names, names1, values, step2, unsaid);

    const costs = i32x4.extract_lane(v128.or(values1, values), 0) >>> COST_BITS;
    if (((i64x2.bitmask(v128.and(regular1, regular2)) ^ 3) | costs) !== 0) {
      store<i32>(pairs, row);
      pairs += 4;
    }
    time += 2 * TIMES_OF_ROW;
    word += 2 * WORDS_OF_ROW;
  }
  // Behind an odd number of rows something has been packed that is none.
  const end = (rows & 1) !== 0 ? between : at;
  at = end;
  for (let pair = PAIRS; pair < pairs; pair += 4) {
    const row = load<i32>(pair);
    at = correct(at, row);
    if (row + 1 < rows) at = correct(at, row + 1);
  }
  store<u16>(PACKED, rows);
  store<u16>(PACKED, (at - end) / (IRREGULAR_WORDS * 4), 2);
  store<u32>(PACKED, (at - PACKED) / 4, 4);
  store<f64>(PACKED, start, 8);
  store<f64>(PACKED, load<f64>(TIMES - 8 + rows * TIMES_OF_ROW), 16);
  return at - PACKED;
}

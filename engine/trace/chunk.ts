/** Rows of a chunk: a power of two; few enough that the two that are written and packed leave most of a core's second-level cache to the machine (2,048 took 2 to 3 % longer, 512 and 256 do no better). */
export const CHUNK_BITS = 10;
export const CHUNK_ROWS = 1 << CHUNK_BITS;
export const CHUNK_MASK = CHUNK_ROWS - 1;

/** In {@link WHAT}: the row is the first of its dispatch. */
export const FIRST = 0x8000;
/** Of {@link WHAT}: the function. */
export const FUNCTION = FIRST - 1;

/** Words of a row. WHAT is the function with {@link FIRST}, and the component in the upper half; WHERE the context, and the vCPU in the upper half. */
export const WHAT = 0;
export const WHERE = 1;
export const PACKET = 2;
export const CAUSE = 3;
export const COST = 4;
export const ENABLER = 5;
export const A = 6;
export const B = 7;
/** A row's words are at `row << WORD_BITS`. */
export const WORD_BITS = 3;

/** Bytes of a row that is not packed. */
export const ROW_BYTES = 2 * 8 + (4 << WORD_BITS);

/**
 * Rows as they are written and read; the unit that is packed. A row's numbers lie side by side, since rows are written and mostly
 * read as a whole: appending a row to twelve columns takes twice as long.
 */
export class TraceChunk {
  /** Of each row: time, begin. */
  readonly times: Float64Array = new Float64Array(CHUNK_ROWS * 2);
  /** Of each row: the words above. The cost is unsigned. */
  readonly words: Int32Array = new Int32Array(CHUNK_ROWS << WORD_BITS);
  /** Someone has read it since this was last cleared. */
  read: boolean = false;
}

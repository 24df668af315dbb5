/**
 * The packed form of a chunk: about 17 bytes a row in place of 48. It stands alone: what is learnt in one chunk is not used in the next.
 *
 * All of it is little-endian words of 32 bits: a header, the rows, the irregular rows. The header has the number of rows and of irregular rows
 * (16 bits each), the number of words with its own, the time of the first row and the begin of the last (f64 each).
 *
 * A row is a word whose lower bits are its cost, and whose upper ones say which of the others below follow. What most rows have is not said: the
 * function, the context and the packet of the row before, the row before as their cause, its time, nothing that they waited for, no values. Nor
 * is when a function began: when the one before it in its dispatch ended, and the last one ends at the dispatch's instant.
 *
 * A row is irregular if its cost, its time, or when the row before began does not follow from that. It has an entry at the chunk's end: a word
 * with its number in the chunk and the upper byte of its cost below, its time, when the row before began (f64 each).
 */
export const HEADER_WORDS = 6;
/** Words of a row that says everything. */
export const MOST_WORDS = 9;
export const IRREGULAR_WORDS = 5;

/** Bits of a row's first word that hold the cost, picoseconds. */
export const COST_BITS = 24;
/** Which words follow, in this order: bits above those. */
export const HAS_WHAT = 0x01;
export const HAS_WHERE = 0x02;
export const HAS_PACKET = 0x04;
export const HAS_CAUSE = 0x08;
/** How much later than the row before, picoseconds, unsigned. */
export const HAS_STEP = 0x10;
export const HAS_ENABLER = 0x20;
export const HAS_A = 0x40;
export const HAS_B = 0x80;

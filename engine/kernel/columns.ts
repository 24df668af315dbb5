const constructors = {
  f64: Float64Array, i32: Int32Array, u32: Uint32Array, i16: Int16Array, u16: Uint16Array, u8: Uint8Array, i8: Int8Array,
} as const;

export type ColumnType = keyof typeof constructors;
export type ColumnOf<T extends ColumnType> = InstanceType<(typeof constructors)[T]>;
export type Column = ColumnOf<ColumnType>;

/** Bytes that columns share. */
const BLOCK = 1 << 16;
/** A column of more bytes has memory of its own. */
const SHORT = 512;

/**
 * Where the columns of tables are. Most are short, and a model uses a few rows of dozens of them at a time: they are side by side. Had each a buffer of
 * its own, they would be all over the memory of the process, a cache line and a page each, and what is used of 200 applications in no cache.
 */
export class Columns {
  private block = new ArrayBuffer(0);
  private used = 0;

  /** A column of zeros. */
  make(type: ColumnType, length: number): Column {
    const constructor = constructors[type];
    const bytes = constructor.BYTES_PER_ELEMENT * length;
    if (bytes > SHORT) return new constructor(length);
    if (this.used + bytes > this.block.byteLength) {
      this.block = new ArrayBuffer(BLOCK);
      this.used = 0;
    }
    const column = new constructor(this.block, this.used, length);
    // Each begins where a number of eight bytes may.
    this.used += (bytes + 7) & ~7;
    return column;
  }
}

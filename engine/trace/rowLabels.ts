const BLOCK_BITS = 15;
const BLOCK_ROWS = 1 << BLOCK_BITS;
const BLOCK_MASK = BLOCK_ROWS - 1;

/**
 * What a timeline writes on a row's slices, at hand for rows anywhere: a window over a long trace shows rows of all of its chunks, and would
 * unpack every one. 8 bytes a row.
 */
export class RowLabels {
  private readonly keys: Uint16Array[] = [];
  private readonly places: Uint16Array[] = [];
  private readonly packets: Int32Array[] = [];

  get bytes(): number { return this.keys.length * BLOCK_ROWS * 8; }

  /** @param row the one after the last @param key function, or the vCPU on a pCPU's track @param place context */
  add(row: number, key: number, place: number, packet: number): void {
    const block = row >> BLOCK_BITS;
    const i = row & BLOCK_MASK;
    if (i === 0) {
      this.keys.push(new Uint16Array(BLOCK_ROWS));
      this.places.push(new Uint16Array(BLOCK_ROWS));
      this.packets.push(new Int32Array(BLOCK_ROWS));
    }
    this.keys[block]![i] = key;
    this.places[block]![i] = place;
    this.packets[block]![i] = packet;
  }

  key(row: number): number { return this.keys[row >> BLOCK_BITS]![row & BLOCK_MASK]!; }
  place(row: number): number { return this.places[row >> BLOCK_BITS]![row & BLOCK_MASK]!; }
  packet(row: number): number { return this.packets[row >> BLOCK_BITS]![row & BLOCK_MASK]!; }
}

import type { SliceRange, Slices } from "./timelineQuery";

/** Collects the columns of a {@link Slices}; growable, so that an answer is as large as what it found. */
export class SliceWriter {
  private length = 0;
  private readonly ranges: SliceRange[] = [];
  private start = new Float64Array(256);
  private end = new Float64Array(256);
  private row = new Int32Array(256);
  private key = new Uint16Array(256);
  private place = new Uint16Array(256);
  private packet = new Int32Array(256);
  private fill = new Uint8Array(256);

  /** Closes a lane that began when the writer held `offset` slices. */
  range(track: number, lane: number, offset: number): void {
    this.ranges.push({ track, lane, offset, count: this.length - offset });
  }

  get count(): number { return this.length; }

  /** @param busy the part of start … end that is work, picoseconds. */
  push(start: number, end: number, busy: number, row: number, key: number, place: number, packet: number): void {
    if (this.length === this.start.length) this.grow();
    const i = this.length++;
    this.start[i] = start;
    this.end[i] = end;
    this.row[i] = row;
    this.key[i] = key;
    this.place[i] = place;
    this.packet[i] = packet;
    this.fill[i] = end > start ? Math.min(255, Math.round((255 * busy) / (end - start))) : 255;
  }

  private grow(): void {
    const n = this.start.length * 2;
    const wider = {
      start: new Float64Array(n), end: new Float64Array(n), row: new Int32Array(n), key: new Uint16Array(n),
      place: new Uint16Array(n), packet: new Int32Array(n), fill: new Uint8Array(n),
    };
    wider.start.set(this.start);
    wider.end.set(this.end);
    wider.row.set(this.row);
    wider.key.set(this.key);
    wider.place.set(this.place);
    wider.packet.set(this.packet);
    wider.fill.set(this.fill);
    Object.assign(this, wider);
  }

  finish(): Slices {
    const n = this.length;
    return {
      ranges: this.ranges,
      start: this.start.slice(0, n), end: this.end.slice(0, n), row: this.row.slice(0, n), key: this.key.slice(0, n),
      place: this.place.slice(0, n), packet: this.packet.slice(0, n), fill: this.fill.slice(0, n),
    };
  }
}

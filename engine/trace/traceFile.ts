import type { ByteFile } from "./byteFile";
import { checksum } from "./checksum";
import { chunkHead, HEADER_BYTES } from "./chunkCodec";
import type { ChunkStore } from "./chunkStore";
import { textOf, utf8 } from "./utf8";
import { VarintReader, writeVarint } from "./varint";

/**
 * Traces on disk.
 *
 * A file is a signature and *records*: kind (4 characters), length of the content (u32), its checksum (u32), 0 (u32), content; all numbers
 * little-endian. The first record, `HEAD`, is JSON: the engine, the design, the names. `CHNK` records are the trace's packed chunks in order,
 * written as the run goes. What a finished run knows follows: `KEYF` keyframes, `COLM` columns of packets; `INDX`, which says
 * where all of these are; and a trailer: offset of INDX (f64), signature.
 *
 * So opening reads the head, the index, and what is asked for. A file without a trailer is of a run that was killed: its
 * records are found one by one, up to the last whole one.
 */
const SIGNATURE = utf8("EXOTRACE");
const VERSION = 4;
const FILE_HEADER = 16;
const RECORD_HEADER = 16;
const TRAILER = 16;

/** A keyframe of the file: the state when so many rows had been written, on top of that of another keyframe (−1: of none). */
export interface StoredKeyframe {
  readonly row: number;
  readonly base: number;
}

/** A file is no trace, or is damaged: where, why, and what can be done. */
export class TraceFileError extends Error {}

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Writes a trace file as a run goes: the store of its trace's chunks. */
export class TraceFileWriter implements ChunkStore {
  private readonly chunks: (Place & { readonly start: number })[] = [];
  private readonly keyframes: (Place & StoredKeyframe)[] = [];
  private readonly columns: (Place & { readonly name: string; readonly capacity: number })[] = [];
  bytes = 0;

  /** @param head see the `HEAD` record; must survive JSON */
  constructor(private readonly file: ByteFile, head: unknown) {
    const header = new Uint8Array(FILE_HEADER);
    header.set(SIGNATURE);
    new DataView(header.buffer).setUint32(8, VERSION, true);
    file.append(header);
    this.record("HEAD", utf8(JSON.stringify(head)));
  }

  get count(): number { return this.chunks.length; }
  get memory(): number { return this.chunks.length * 64; }

  add(bytes: Uint8Array): void {
    this.chunks.push({ ...this.record("CHNK", bytes), start: chunkHead(bytes).start });
    this.bytes += bytes.length;
  }

  read(chunk: number): Uint8Array {
    return readContent(this.file, this.chunks[chunk]!, () => `chunk ${chunk}`);
  }

  addKeyframe(keyframe: StoredKeyframe, delta: Uint8Array): void {
    this.keyframes.push({ ...this.record("KEYF", delta), row: keyframe.row, base: keyframe.base });
  }

  /** @param capacity elements that the column has room for; those after `bytes` are zero */
  addColumn(name: string, capacity: number, bytes: Uint8Array): void {
    this.columns.push({ ...this.record("COLM", bytes), name, capacity });
  }

  /** Ends the file. @param rows of the trace; @param tail the chunks that it had not handed out yet */
  finish(rows: number, tail: readonly Uint8Array[]): void {
    for (const bytes of tail) this.add(bytes);
    const index = new IndexWriter();
    index.number(rows);
    index.number(this.chunks.length);
    let before = 0;
    for (const { offset, length, start } of this.chunks) {
      index.place({ offset, length });
      // Times never decrease.
      index.number(start - before);
      before = start;
    }
    index.number(this.keyframes.length);
    for (const { offset, length, row, base } of this.keyframes) {
      index.place({ offset, length });
      index.number(row);
      index.number(base + 1);
    }
    index.number(this.columns.length);
    for (const { offset, length, name, capacity } of this.columns) {
      index.place({ offset, length });
      index.number(capacity);
      index.text(name);
    }
    const { offset } = this.record("INDX", index.finish());
    const trailer = new Uint8Array(TRAILER);
    new DataView(trailer.buffer).setFloat64(0, offset, true);
    trailer.set(SIGNATURE, 8);
    this.file.append(trailer);
  }

  private record(kind: string, content: Uint8Array): Place {
    const offset = this.file.size;
    const header = new Uint8Array(RECORD_HEADER);
    header.set(utf8(kind));
    const view = new DataView(header.buffer);
    view.setUint32(4, content.length, true);
    view.setUint32(8, checksum(content), true);
    this.file.append(header);
    this.file.append(content);
    return { offset, length: content.length };
  }
}

/** A trace file, opened: what is in it, read when asked for. */
export class TraceFile implements ChunkStore {
  /** Content of the `HEAD` record. */
  readonly head: unknown;
  /** The run came to its end, and what a finished run knows is there. */
  readonly finished: boolean;
  /** Rows of the trace. */
  readonly rows: number = 0;
  /** Time of each chunk's first row, picoseconds. */
  readonly starts: number[] = [];
  readonly keyframes: (Place & StoredKeyframe)[] = [];
  readonly columns: (Place & { readonly name: string; readonly capacity: number })[] = [];
  readonly bytes: number = 0;
  private readonly chunks: Place[] = [];

  /** @throws TraceFileError where the file is no trace, or its head or its index is damaged */
  constructor(private readonly file: ByteFile) {
    const header = file.read(0, FILE_HEADER);
    if (header.length < FILE_HEADER || !startsWith(header, SIGNATURE)) {
      throw new TraceFileError(`${file.name}: this is no trace: it does not begin with EXOTRACE. Write one with \`exoscope run DESIGN --trace FILE\`.`);
    }
    const version = viewOf(header).getUint32(8, true);
    if (version !== VERSION) throw new TraceFileError(`${file.name}: at byte 8: a trace of version ${version}; this Exoscope reads version ${VERSION}. Open it with the Exoscope that wrote it, or run the design again.`);
    const head = this.recordAt(FILE_HEADER);
    if (head?.kind !== "HEAD") throw new TraceFileError(`${file.name}: at byte ${FILE_HEADER}: the description of the run is missing. Run the design again.`);
    this.head = JSON.parse(textOf(readContent(file, head, () => "the description of the run")));
    const trailer = file.read(file.size - TRAILER, TRAILER);
    this.finished = trailer.length === TRAILER && startsWith(trailer.subarray(8), SIGNATURE);
    if (this.finished) this.rows = this.readIndex(viewOf(trailer).getFloat64(0, true));
    else this.rows = this.collect(head.offset + RECORD_HEADER + head.length);
    this.bytes = this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  get count(): number { return this.chunks.length; }
  get memory(): number { return this.chunks.length * 64; }

  add(): never {
    throw new Error(`${this.file.name} is open for reading.`);
  }

  /** @throws TraceFileError where it is damaged */
  read(chunk: number): Uint8Array { return readContent(this.file, this.chunks[chunk]!, () => `chunk ${chunk} of the rows`); }
  /** The delta of a keyframe. @throws TraceFileError where it is damaged */
  readKeyframe(number: number): Uint8Array { return readContent(this.file, this.keyframes[number]!, () => `keyframe ${number}`); }
  /** The bytes of a column, without the zeros at its end. @throws TraceFileError where it is damaged */
  readColumn(number: number): Uint8Array { return readContent(this.file, this.columns[number]!, () => `the packets' column ${this.columns[number]!.name}`); }

  private readIndex(offset: number): number {
    const damaged = (why: string): TraceFileError => new TraceFileError(`${this.file.name}: at byte ${offset}: ${why}. Without the last ${TRAILER} bytes of the file its rows can still be read.`);
    const record = this.recordAt(offset);
    if (record?.kind !== "INDX") throw damaged("the index is not where the file's end says");
    const reader = new IndexReader(readContent(this.file, record, () => "the index"));
    try {
      const rows = reader.number();
      let start = 0;
      for (let left = reader.number(); left > 0; left--) {
        this.chunks.push(reader.place());
        this.starts.push((start += reader.number()));
      }
      for (let left = reader.number(); left > 0; left--) this.keyframes.push({ ...reader.place(), row: reader.number(), base: reader.number() - 1 });
      for (let left = reader.number(); left > 0; left--) this.columns.push({ ...reader.place(), capacity: reader.number(), name: reader.text() });
      return rows;
    } catch (error) {
      throw error instanceof RangeError ? damaged("the index ends early") : error;
    }
  }

  /** Goes from record to record in a file without an index; returns the number of rows. */
  private collect(from: number): number {
    let rows = 0;
    for (let at = from; ; ) {
      const record = this.recordAt(at);
      if (record === undefined || at + RECORD_HEADER + record.length > this.file.size) return rows;
      if (record.kind === "CHNK") {
        if (record.length < HEADER_BYTES) return rows;
        const head = chunkHead(this.file.read(at + RECORD_HEADER, HEADER_BYTES));
        this.chunks.push({ offset: at, length: record.length });
        this.starts.push(head.start);
        rows += head.rows;
      }
      at += RECORD_HEADER + record.length;
    }
  }

  private recordAt(offset: number): (Place & { readonly kind: string }) | undefined {
    const header = this.file.read(offset, RECORD_HEADER);
    if (header.length < RECORD_HEADER) return undefined;
    const kind = String.fromCharCode(...header.subarray(0, 4));
    return /^[A-Z]{4}$/.test(kind) ? { kind, offset, length: viewOf(header).getUint32(4, true) } : undefined;
  }
}

function readContent(file: ByteFile, { offset, length }: Place, what: () => string): Uint8Array {
  const record = file.read(offset, RECORD_HEADER + length);
  const content = record.subarray(RECORD_HEADER);
  if (content.length !== length) throw new TraceFileError(`${file.name}: at byte ${offset}: ${what()} ends early, after ${content.length} of ${length} bytes. Run the design again; the rows before it can be read.`);
  if (viewOf(record).getUint32(8, true) !== checksum(content)) {
    throw new TraceFileError(`${file.name}: at byte ${offset}: ${what()} is not what was written: its checksum differs. Copy the file again, or run the design again; the rest of the file can be read.`);
  }
  return content;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, i) => bytes[i] === byte);
}

class IndexWriter {
  private bytes = new Uint8Array(1 << 12);
  private at = 0;
  /** Where the record before ended: most follow each other. */
  private end = 0;

  number(value: number): void {
    if (this.at + 16 > this.bytes.length) {
      const longer = new Uint8Array(this.bytes.length * 2);
      longer.set(this.bytes);
      this.bytes = longer;
    }
    this.at = writeVarint(this.bytes, this.at, value);
  }

  place({ offset, length }: Place): void {
    const gap = offset - this.end;
    this.number(gap < 0 ? -2 * gap - 1 : 2 * gap);
    this.number(length);
    this.end = offset + RECORD_HEADER + length;
  }

  text(text: string): void {
    const bytes = utf8(text);
    this.number(bytes.length);
    for (const byte of bytes) this.number(byte);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.at);
  }
}

class IndexReader {
  private readonly reader: VarintReader;
  private end = 0;

  constructor(bytes: Uint8Array) {
    this.reader = new VarintReader(bytes, 0);
  }

  number(): number { return this.reader.next(); }

  place(): Place {
    const gap = this.number();
    const offset = this.end + (gap % 2 === 0 ? gap / 2 : -(gap + 1) / 2);
    const length = this.number();
    this.end = offset + RECORD_HEADER + length;
    return { offset, length };
  }

  text(): string {
    return textOf(Uint8Array.from({ length: this.number() }, () => this.number()));
  }
}

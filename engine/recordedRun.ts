import { keyframeOf, MachineEngine, type Keyframe } from "./create";
import { attachFiles } from "./design/files";
import { parseDesign } from "./design/parse";
import type { StoreSnapshot } from "./kernel/state";
import { RowsOnly } from "./rowsOnly";
import { nearestKeyframe, type RecordedPrefix } from "./session/recording";
import { PacketColumns } from "./network/packetColumns";
import type { ByteFile } from "./trace/byteFile";
import { checksum } from "./trace/checksum";
import type { RunHead } from "./trace/runHead";
import { Trace } from "./trace/trace";
import { TraceFile, TraceFileError, TraceFileWriter } from "./trace/traceFile";
import { utf8 } from "./trace/utf8";
import { ENGINE_VERSION } from "./version";

/** Writes the trace of a run to a file as it goes; {@link end} makes it one that opens without being read. */
export class RunWriter {
  private readonly writer: TraceFileWriter;

  /**
   * @param engine fresh; its trace is kept in the file from now on
   * @param text of its design
   * @param files that the design names, by name
   */
  constructor(file: ByteFile, private readonly engine: MachineEngine, text: string, files: ReadonlyMap<string, string>) {
    const { seed, until } = engine.design.run;
    const head: RunHead = {
      engine: ENGINE_VERSION, layout: layoutOf(engine), design: text, files: Object.fromEntries(files), run: { seed, until }, names: engine.names,
    };
    this.writer = new TraceFileWriter(file, head);
    engine.trace.keepIn(this.writer);
  }

  /** @param keyframes in order, each on top of an earlier one; the last is of the state now */
  end(keyframes: readonly Keyframe[]): void {
    const numbers = new Map<StoreSnapshot, number>(keyframes.map(({ state }, number) => [state, number]));
    for (const { row, state } of keyframes) this.writer.addKeyframe({ row, base: state.base === undefined ? -1 : numbers.get(state.base)! }, state.delta);
    for (const [name, column] of Object.entries(this.engine.built.machine.packets.columns) as [string, ColumnArray][]) {
      const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
      let length = bytes.length;
      while (length > 0 && bytes[length - 1] === 0) length--;
      this.writer.addColumn(name, column.length, bytes.subarray(0, length));
    }
    const { trace } = this.engine;
    this.writer.finish(trace.length, trace.tail());
  }
}

type ColumnArray = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** A run read back from its trace file: rows at once; of a run that came to its end also the state at any row, and packets. */
export class RecordedRun {
  readonly trace: Trace;
  /** The engine that wrote it. */
  readonly version: string;
  private readonly file: TraceFile;
  private readonly head: RunHead;
  private readonly columns = new PacketColumns();
  private hasPackets = false;
  private machine: { readonly engine: MachineEngine; readonly keyframes: readonly Keyframe[] } | undefined;

  /** @throws TraceFileError where the file is no trace, or damaged where everything begins */
  constructor(private readonly source: ByteFile) {
    this.file = new TraceFile(source);
    // What this class reads, it has written: the signature and the checksum say so.
    this.head = this.file.head as RunHead;
    this.version = this.head.engine;
    this.trace = new Trace(this.head.names, { store: this.file, rows: this.file.rows, starts: this.file.starts });
  }

  /** The run came to its end; of one that was killed there are only rows. */
  get finished(): boolean { return this.file.finished; }
  get keyframes(): number { return this.file.keyframes.length; }
  /** End of simulated time that was asked for, picoseconds. */
  get until(): number { return this.head.run.until; }
  get design(): string { return this.head.design; }

  /**
   * The machine as it was at the end. Its packets are there after {@link loadPackets}.
   * @throws TraceFileError where the run was killed, or another engine wrote the file
   */
  atEnd(): MachineEngine {
    const { engine, keyframes } = this.open();
    engine.restore(keyframes.at(-1)!);
    return engine;
  }

  /**
   * The machine as it was before the dispatch of a row, with its packets.
   * @throws TraceFileError as {@link atEnd}, and where the replay differs from the trace
   */
  at(row: number): MachineEngine {
    const { engine, keyframes } = this.open();
    this.loadPackets();
    const target = this.trace.dispatchStart(row);
    const nearest = nearestKeyframe(keyframes, target);
    engine.restore(nearest);
    while (engine.rows < target && engine.dispatch());
    if (engine.rows !== target) throw new TraceFileError(`${this.source.name}: the run, repeated from row ${nearest.row}, does not come to row ${target}: this Exoscope simulates the design differently. Run the design again.`);
    return engine;
  }

  /** The run for a session to look at: to its end, or, where that is all there is, its rows. */
  recorded(): RecordedPrefix {
    const { trace } = this;
    const rows = { trace, length: trace.length, complete: true, record: () => false };
    try {
      const engine = this.atEnd();
      const { keyframes } = this.open();
      this.loadPackets();
      return { ...rows, engine, time: engine.time, rowsOnly: undefined, keyframeBefore: (row) => nearestKeyframe(keyframes, row) };
    } catch (error) {
      if (!(error instanceof TraceFileError)) throw error;
      const engine = new RowsOnly(this.head.names, trace);
      return { ...rows, engine, time: engine.time, rowsOnly: error.message, keyframeBefore: () => engine.snapshot() };
    }
  }

  /** Reads the packets, for engines that this run has given and will give. */
  loadPackets(): void {
    if (this.hasPackets) return;
    this.hasPackets = true;
    const columns = this.columns as unknown as Record<string, ColumnArray>;
    this.file.columns.forEach(({ name, capacity }, number) => {
      const column = columns[name];
      if (column === undefined) throw new TraceFileError(`${this.source.name}: packets have a column ${name}, which this Exoscope does not know. Open it with Exoscope ${this.version}.`);
      const whole = new (column.constructor as new (length: number) => ColumnArray)(capacity);
      new Uint8Array(whole.buffer).set(this.file.readColumn(number));
      columns[name] = whole;
    });
  }

  private open(): { readonly engine: MachineEngine; readonly keyframes: readonly Keyframe[] } {
    return (this.machine ??= this.build());
  }

  private build(): { readonly engine: MachineEngine; readonly keyframes: readonly Keyframe[] } {
    const { design: text, files, run, layout } = this.head;
    if (!this.finished) throw new TraceFileError(`${this.source.name}: the run did not come to its end, so the file has rows, but neither state nor packets. Run the design again for them.`);
    const different = `${this.source.name}: it was written by Exoscope ${this.version}, whose machines differ from those of this one (${ENGINE_VERSION}): rows can be read, state and packets cannot. Open it with that version, or run the design again.`;
    const parsed = parseDesign(text).design;
    if (parsed === undefined) throw new TraceFileError(different);
    const { design } = attachFiles(parsed, (name) => files[name]);
    const engine = new MachineEngine({ ...design, run: { ...design.run, ...run } }, this.columns, this.trace);
    if (layoutOf(engine) !== layout) throw new TraceFileError(different);
    const states: StoreSnapshot[] = [];
    const keyframes = this.file.keyframes.map(({ row, base }, number) => {
      const state: StoreSnapshot = new StoredState(states[base], () => this.file.readKeyframe(number));
      states.push(state);
      return keyframeOf(row, state);
    });
    return { engine, keyframes };
  }
}

/** A keyframe of the file, read when it is gone to. */
class StoredState implements StoreSnapshot {
  private bytes: Uint8Array | undefined;

  constructor(readonly base: StoreSnapshot | undefined, private readonly read: () => Uint8Array) {}

  get delta(): Uint8Array { return (this.bytes ??= this.read()); }
}

function layoutOf(engine: MachineEngine): number {
  return checksum(utf8(engine.built.machine.kernel.store.layout));
}

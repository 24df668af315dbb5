import type { Engine, Snapshot } from "./engine";
import type { Scope } from "./inspect";
import { NONE, type Trace, type TraceNames } from "./trace/trace";
import { fingerprint } from "./trace/fingerprint";

/** Stands for the machine of a run of which there are only rows: it knows what happened, and nothing of any state. */
export class RowsOnly implements Engine {
  readonly done = true;

  constructor(readonly names: TraceNames, readonly trace: Trace) {}

  get time(): number { return this.rows === 0 ? 0 : this.trace.time(this.rows - 1); }
  get rows(): number { return this.trace.length; }
  dispatch(): boolean { return false; }
  snapshot(): Snapshot { return { row: NONE, bytes: 0 }; }
  restore(): void {}
  replayer(): Engine { return this; }
  describeComponent(): Scope[] { return []; }
  describeDomain(): Scope[] { return []; }
  activeUplinks(): Readonly<Record<string, string>> { return {}; }
  describePacket(): Scope { return { name: "", variables: [] }; }
  parentOfPacket(): number { return NONE; }
  summarizePacket(): string { return ""; }
  fingerprint(): string { return fingerprint(this.trace); }
}

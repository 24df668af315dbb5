/** State for people: what the debugger's Variables view, hovers and expressions see. Plain data, safe to send to another thread. */
export interface Variable {
  /** As the field names it: `snd_nxt`, `cwnd`, `tx ring`. Unique among its siblings. */
  readonly name: string;
  /** For display, with unit: `14480 B`, `ESTABLISHED`. */
  readonly value: string;
  /** The number behind the value, for conditions and watch expressions; absent where there is none. */
  readonly number?: number;
  readonly children?: readonly Variable[];
}

/** A titled group of variables: a scope of the debugger. */
export interface Scope {
  readonly name: string;
  readonly variables: readonly Variable[];
}

import type { OpenParams, OpenResult, WorkerPort } from "../../../protocol/session";
import type { CursorOrigin, CursorView } from "../../../protocol/cursor";
import type { SessionClient } from "../worker/sessionClient";

/** What the adapter needs of its surroundings; the editor provides it, and so do the tests. */
export interface AdapterHost {
  readonly l10n: Localizer;
  startWorker(): WorkerPort;
  /**
   * What a launch configuration's program is: the design's text, of the open document where there is one, and those of the files that it
   * names; or a file with a recorded run.
   * @returns also path or URI of the design, for the debugger's client
   * @throws Error whose message is for people.
   */
  read(program: string): Promise<{ readonly source: string; readonly open: OpenParams }>;
  /** Whether a path of the debugger's client names the design. */
  isSame(path: string, source: string): boolean;
  /** Makes ready for a stop to be shown: the design's text is on the screen, in a column of its own. */
  beforeStop(): Promise<void>;
  /** A stop has been reported: gives the keyboard back to the view that the cursor was chosen in. */
  afterStop(frame: number, origin: CursorOrigin): void;
  /** Where a checkout of the simulated system's source defines a function; lines count from 0. */
  locateFunction(file: string, fn: string): Promise<{ readonly path: string; readonly line: number } | undefined>;
  /** The machine of the design is ready. */
  opened(simulation: OpenedSimulation): void;
  /** A movement of the cursor has begun; `stop` ends it early, where it has got to. */
  moving(done: Promise<void>, stop: () => void): void;
  moved(view: CursorView, origin: CursorOrigin): void;
  /** The session is over; `message` says why where nobody asked for it. */
  ended(message: string | undefined): void;
}

export interface Localizer {
  t(message: string, ...values: (string | number)[]): string;
}

export interface OpenedSimulation {
  readonly client: SessionClient;
  readonly design: Extract<OpenResult, { ok: true }>;
}

/** How a session is started: the launch configuration. */
export interface LaunchSettings {
  /** Path or URI of the design, or of a trace. */
  readonly program: string;
  readonly seed?: number;
  /** A time with unit, e.g. `200ms`. */
  readonly until?: string;
  readonly stopOnEntry?: boolean;
  readonly noDebug?: boolean;
}

import { fork } from "node:child_process";
import { once } from "node:events";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { Design } from "../../../engine/design/model";
import { designOf } from "../../support/runDesign";
import { cpuTime } from "../section";
import { cases, designText, paths } from "./cases";

/** Runs before anything is measured: compiled code is what is compared, and V8 goes on compiling for the first eight machines of a kind. */
const WARM = 8;
/** Dispatches between two looks at how many frames there were. */
const SLICE = 256;
/** First argument of a process that runs one design. */
const ROLE = "ns3-own";

/** What a run of a design came to. */
export interface OwnRun {
  /** CPU time from the first dispatch to the last, seconds. */
  readonly seconds: number;
  readonly dispatches: number;
  readonly rows: number;
  /** On the wire, both directions. */
  readonly frames: number;
}

/** A process that runs one design, when it is told to: as the command line runs one, and ns-3's program. */
export class OwnProcess {
  private readonly child;
  private readonly ended: Promise<undefined>;

  /** @param c,p numbers of the case and the path @param frames that a run goes on for */
  constructor(c: number, p: number, frames: number) {
    this.child = fork(process.argv[1]!, [ROLE, `${c}`, `${p}`, `${frames}`], { execArgv: process.execArgv });
    this.ended = once(this.child, "exit").then(() => undefined);
  }

  /** One run. @throws Error if the process ends */
  async run(): Promise<OwnRun> {
    this.child.send("run");
    const answer = await Promise.race([once(this.child, "message"), this.ended]);
    if (answer === undefined) throw new Error("the process that runs the design has ended");
    return answer[0] as OwnRun;
  }

  close(): void {
    this.child.kill();
  }
}

/** Does what such a process does, if this is one. @returns whether it is */
export function runOwn([role, ...args]: readonly string[]): boolean {
  if (role !== ROLE) return false;
  const [c, p, frames] = args.map(Number) as [number, number, number];
  const design = designOf(designText(cases[c]!, paths[p]!));
  // What was compiled for a machine lives as long as it does: the first is held, and no other. With their traces, machines that nobody has any more took a
  // tenth of the time that was measured, for V8's looking through them again and again.
  let first: MachineEngine | undefined;
  let runs = 0;
  process.on("message", () => {
    for (; runs < WARM; runs++) {
      const { engine } = transfer(design, frames);
      first ??= engine;
    }
    process.send!(transfer(design, frames).run);
  });
  return true;
}

/** Runs a design until so many frames were on the wire. @throws Error if it ends before */
function transfer(design: Design, frames: number): { readonly run: OwnRun; readonly engine: MachineEngine } {
  globalThis.gc?.();
  const engine = createEngine(design);
  const { kernel, links } = engine.built.machine;
  const { serialise } = links[0]!;
  const before = engine.dispatches;
  const start = cpuTime();
  let more = true;
  while (more && kernel.count(serialise) < frames) more = dispatchSlice(engine);
  const seconds = cpuTime() - start;
  if (!more) throw new Error(`the design's run ended after ${kernel.count(serialise)} frames of ${frames}`);
  return { run: { seconds, dispatches: engine.dispatches - before, rows: engine.rows, frames: kernel.count(serialise) }, engine };
}

/** A function of its own: as a loop in {@link transfer}, which is entered once a run, V8 compiled it anew in every run, for 10 to 20 ms on another thread. */
function dispatchSlice(engine: MachineEngine): boolean {
  for (let i = 0; i < SLICE; i++) if (!engine.dispatch()) return false;
  return true;
}

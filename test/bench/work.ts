import { fork } from "node:child_process";
import { once } from "node:events";
import { Session, type Profiler } from "node:inspector";
import { designOf } from "../support/runDesign";
import { answered } from "./growth";

/** First argument of a process that counts. */
const ROLE = "work";

/** Blocks of code that a dispatch runs, on average, from the first to a design's last answer. It is counted in a process of its own: what counts is slow for ever. */
export async function workOf(text: string): Promise<number> {
  const child = fork(process.argv[1]!, [ROLE], { execArgv: process.execArgv });
  child.send(text);
  const ended = once(child, "exit").then(() => undefined);
  const answer = await Promise.race([once(child, "message"), ended]);
  child.kill();
  if (answer === undefined) throw new Error("the process that counts has ended");
  return answer[0] as number;
}

/** Does what such a process does, if this is one. @returns whether it is */
export function countWork([role]: readonly string[]): boolean {
  if (role !== ROLE) return false;
  process.once("message", (text: string) => void count(text).then((blocks) => process.send!(blocks)));
  return true;
}

async function count(text: string): Promise<number> {
  const session = new Session();
  session.connect();
  const take = (): number => {
    let blocks = 0;
    session.post("Profiler.takePreciseCoverage", (_error: Error | null, { result }: Profiler.TakePreciseCoverageReturnType) => {
      for (const { functions } of result) for (const { ranges } of functions) for (const range of ranges) blocks += range.count;
    });
    return blocks;
  };
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  // What is counted before the first dispatch is left out.
  const { events } = await answered(designOf(text), () => void take());
  return take() / events;
}

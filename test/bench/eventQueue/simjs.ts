import { createRequire } from "node:module";
import { join } from "node:path";

/** What the bench uses of the npm package simjs, which has no types of its own. */
export interface Simjs {
  readonly Sim: new () => { addEntity(type: new () => Timers): unknown; step(): boolean; time(): number };
  readonly Entity: new () => Timers;
}

interface Timers {
  setTimer(duration: number): { done(callback: (i: number) => void, context: object, parameters: readonly [number]): Timer };
}

export interface Timer {
  cancel(): void;
}

/** Loads simjs. Its published form hands itself over through `window`, and nothing else. */
export function loadSimjs(): Simjs {
  const page: { Sim?: Simjs } = {};
  const scope: { window?: unknown } = globalThis;
  scope.window = page;
  createRequire(join(process.cwd(), "package.json"))("simjs");
  delete scope.window;
  if (page.Sim === undefined) throw new Error("simjs did not hand itself over");
  return page.Sim;
}

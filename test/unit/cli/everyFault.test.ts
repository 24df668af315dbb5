import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import { summary } from "../../../engine/cli/summary";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { attachFiles } from "../../../engine/design/files";
import type { Design } from "../../../engine/design/model";
import { parseDesign } from "../../../engine/design/parse";
import { invariants } from "../../support/invariants/all";
import { runChecked } from "../../support/invariants/invariant";
import { readSample } from "../../support/samples";

/** A sample of each way to place things, with what its domains can forge. */
const struck = ["netfront/bridge", "netfront/nat", "placement/kernel-driver", "placement/multiserver", "switching/by-hand", "workloads/udp-stream"];
/** Dispatches before the fault strikes, of a run without it, by when requests are under way; and of a run with it. */
const BEFORE = 1300;
const DISPATCHES = 2600;
/** Nanoseconds from one strike to the next, so that each catches the machine at something else. */
const STEP = 617;

function designOf(text: string, files: Readonly<Record<string, string>>): Design | undefined {
  const { design, problems } = parseDesign(text);
  return design === undefined || problems.some(({ severity }) => severity === "error") ? undefined : attachFiles(design, (name) => files[name]).design;
}

/** A design's text with one more entry of its list of faults, or of its switches, which it may not have yet. */
function withEntry(text: string, list: "faults" | "switches", entry: string): string {
  const line = new RegExp(`^${list}:(.*)$`, "m");
  const [, inline] = line.exec(text) ?? [];
  if (inline === undefined) return `${text}\n${list}: [${entry}]\n`;
  if (inline.trim() === "") return text.replace(line, `${list}:\n  - ${entry}`);
  return text.replace(line, `${list}: [${entry}, ${inline.trim().slice(1)}`);
}

/** What can be done to a design's parts, each as an entry of a list. */
function strikes(design: Design, at: number): { readonly list: "faults" | "switches"; readonly entry: string }[] {
  const dotted = (path: string): string => path.replaceAll("/", ".");
  const domains = design.hosts.flatMap((host) => host.domains);
  const faults = domains.map(({ path }) => dotted(path)).flatMap((path) => [
    `crash: ${path}`, `crash: ${path}, restart: 200us`, `restart: ${path}, takes: 0s`, `hang: ${path}`, `hang: ${path}, watchdog: 2ms, restart: 100us`,
  ]);
  for (const { path } of design.hosts) faults.push(`crash: ${path}, restart: 200us`, `hang: ${path}, watchdog: 2ms, restart: 0s`);
  for (const { path } of design.links) faults.push(`degrade: ${dotted(path)}, loss: 30%, corrupt: 20%, duplicate: 20%, reorder: 20%, for: 5ms`);
  for (const { path } of domains) for (const what of ["mac", "ip", "port", "index", "length", "dma", "portmap"]) faults.push(`forge: ${dotted(path)}, what: ${what}`);
  const switches = domains.flatMap(({ path }) => ["server", "direct"].map((to) => `switch: ${dotted(path)}, to: ${to}`));
  return [
    ...faults.map((fault, i) => ({ list: "faults" as const, entry: `{ at: ${at / 1e3 + i * STEP}ns, ${fault} }` })),
    ...switches.map((change, i) => ({ list: "switches" as const, entry: `{ at: ${at / 1e3 + i * STEP}ns, ${change} }` })),
  ];
}

/** Every number of a report is one, and nothing is less than nothing. */
function assertWellFormed(value: unknown, at: string): void {
  if (typeof value === "number") assert.ok(Number.isFinite(value) && value >= 0, `${at}: ${value}`);
  else if (Array.isArray(value)) value.forEach((each, i) => assertWellFormed(each, `${at}[${i}]`));
  else if (typeof value === "object" && value !== null) for (const [key, each] of Object.entries(value)) assertWellFormed(each, `${at}.${key}`);
}

describe("every fault at every domain", () => {
  for (const name of struck) {
    it(`of ${name}: nothing throws, nothing stands still, every rule holds, and the report can be read`, () => {
      const { text, files } = readSample(`${name}.exo.yaml`);
      const undisturbed = createEngine(designOf(text, files)!);
      for (let i = 0; i < BEFORE && undisturbed.dispatch(); i++);
      const at = Math.ceil(undisturbed.time / 1e3) * 1e3;
      let runs = 0;
      for (const { list, entry } of strikes(undisturbed.design, at)) {
        const design = designOf(withEntry(text, list, entry), files);
        if (design === undefined) continue;
        runs++;
        const engine = createEngine(design);
        try {
          follow(engine, at);
          const result = report(engine);
          assertWellFormed(result, "report");
          assert.doesNotMatch(summary(result, engine.fingerprint()), /NaN|undefined|Infinity/);
        } catch (error) {
          throw new Error(`${entry}: ${(error as Error).message}`, { cause: error });
        }
      }
      assert.ok(runs > 10, `${runs} runs`);
    });
  }
});

/** Runs it under watch, a while beyond the fault. */
function follow(engine: MachineEngine, at: number): void {
  let last = -1;
  let standing = 0;
  runChecked(engine, invariants, DISPATCHES, () => {
    standing = engine.time === last ? standing + 1 : 0;
    last = engine.time;
    assert.ok(standing < 20, `more than a thousand dispatches at ${last} ps`);
    return false;
  });
  assert.ok(engine.done || engine.time >= at, "the fault has struck");
}

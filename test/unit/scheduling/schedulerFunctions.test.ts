import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { schedulerFunctions } from "../../../engine/scheduling/schedulerFunctions";
import { runDesign } from "../../support/runDesign";

const systems = ["linux", "netbsd", "minix"] as const;

describe("what a kernel does on its CPUs", () => {
  for (const system of systems) {
    it(`has the names of ${system} where that is the kernel`, () => {
      const text = readFileSync("samples/placement/multiserver.exo.yaml", "utf8").replace("system: minix", `system: ${system}`)
        // NetBSD's clock ticks every 10 ms.
        .replace("requests: 400", "requests: 1000");
      const { engine: { trace, names } } = runDesign(text);
      const others = new Set(systems.filter((other) => other !== system).flatMap((other) => Object.values(schedulerFunctions[other]).map(({ name }) => name)));
      const seen = new Set<string>();
      for (let row = 0; row < trace.length; row++) {
        if (names.contexts[trace.context(row)]!.host === "server") seen.add(names.functions[trace.fn(row)]!.name);
      }
      assert.deepEqual([...seen].filter((name) => others.has(name)), []);
      for (const does of ["interrupt", "tick", "switch", "idle"] as const) assert.ok(seen.has(schedulerFunctions[system][does].name ?? ""), does);
    });
  }
});

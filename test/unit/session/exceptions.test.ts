import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { EXCEPTION_FILTERS, isExceptionOf } from "../../../engine/session/exceptions";
import type { FunctionKind } from "../../../engine/trace/trace";

/** What machines with malicious applications, driver domains, switches and faults can leave rows of. */
const functions = ["security/malicious", "netfront/nat", "switching/vf-scarcity", "faults/server-crash", "faults/hang", "workloads/http-close"].flatMap((sample) => {
  const { design } = parseDesign(readFileSync(`samples/${sample}.exo.yaml`, "utf8"));
  assert.ok(design);
  return createEngine(design).names.functions;
});

const groupsOf = (name: string, kind: FunctionKind): string[] => EXCEPTION_FILTERS.filter((filter) => isExceptionOf(filter, { name, kind }));

describe("session: groups of exceptions", () => {
  it("hold every row that something goes wrong in, a violation once", () => {
    for (const { name, kind } of functions) {
      const groups = groupsOf(name, kind);
      if (kind === "drop" || kind === "fault" || kind === "timeout") assert.ok(groups.includes(kind), name);
      if (kind === "violation") assert.equal(groups.filter((group) => group !== "switch").length, 1, name);
    }
  });

  it("tell a lie from a reach into memory and from a request refused", () => {
    const real = new Map(functions.map(({ name, kind }) => [name, kind]));
    const expected = {
      "forged source IP": ["forgery"], "ring index out of range": ["forgery"], "MAC anti-spoof": ["forgery"],
      "IOMMU fault": ["memory"], "grant has ended": ["memory"], "write to a read-only page": ["memory"],
      "connection failed": ["refusal"], "bind failed: EADDRINUSE": ["refusal"], "VF refused": ["refusal"], device_assigned: ["refusal", "switch"],
      "rumprun_service switch": ["switch"], "switch timed out": ["timeout", "switch"], crash: ["fault"],
    };
    for (const [name, groups] of Object.entries(expected)) {
      const kind = real.get(name);
      assert.ok(kind, `no component has ${name}`);
      assert.deepEqual(groupsOf(name, kind), groups, name);
    }
  });
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import Ajv from "ajv";
import { parse } from "yaml";
import { jsonSchema } from "../../../engine/design/jsonSchema";
import { parseDesign } from "../../../engine/design/parse";
import { designText } from "../../support/designText";

const validate = new Ajv({ allErrors: true, strict: false, formats: { ipv4: true } }).compile(JSON.parse(JSON.stringify(jsonSchema())));

function errors(text: string): string {
  return validate(parse(text, { merge: true })) ? "" : JSON.stringify(validate.errors, null, 1);
}

const samples = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".exo.yaml")).sort();
/** Warnings about the very thing that a sample shows: vCPUs that wait for each other, and such as an N:1 scheduler leaves idle. */
const shown: readonly string[] = ["overcommitted", "unused-vcpus"];
const web = (line: string) => designText({ domains: { web: ["http-server", "libc", line, "ixgbe: { bind: nic0.vf0 }"] } });

describe("JSON Schema", () => {
  it("in the tree is the one that the catalogue gives (npm run schema)", () => {
    assert.equal(readFileSync("engine/design/schema.json", "utf8"), `${JSON.stringify(jsonSchema(), null, 1)}\n`);
  });

  for (const sample of samples) {
    it(`accepts samples/${sample}, as the parser does`, () => {
      const text = readFileSync(`samples/${sample}`, "utf8");
      assert.deepEqual(parseDesign(text).problems.filter(({ code }) => !shown.includes(code)), []);
      assert.equal(errors(text), "");
    });
  }

  it("accepts every form that the parser does", () => {
    const text = designText({ domains: { web: ["http-server: { port: 81, id: site }", "libc:", "tcpip: { ip: 10.0.0.7 }", "ixgbe: { bind: nic0.vf0 }"] } },
      "workloads: [ http: { from: client, to: web, size: 100, keepalive: off } ]\nfaults: [ { at: 0, crash: web, restart: 1.5ms } ]\nlayout: { pins: { server/web: [1, 2] } }\nx-note: 1\n");
    assert.deepEqual(parseDesign(text).problems.filter(({ severity }) => severity === "error"), []);
    assert.equal(errors(text), "");
  });

  for (const [what, text] of [
    ["an unknown component", web("tcp")], ["an unknown option", web("tcpip: { i: 1 }")], ["a design without hosts", "exoscope: 1\n"],
    ["a number out of range", "exoscope: 1\nhosts: { s: { cpu: { cores: 0 } } }\n"], ["a time without its unit", "exoscope: 1\nhosts: {}\nrun: { until: 20 }\n"],
  ] as const) {
    it(`rejects ${what}, as the parser does`, () => {
      assert.notEqual(parseDesign(text).problems.length, 0);
      assert.notEqual(errors(text), "");
    });
  }
});

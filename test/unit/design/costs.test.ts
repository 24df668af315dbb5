import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseDesign } from "../../../engine/design/parse";
import { runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

describe("costs that a design sets", () => {
  it("take the place of the profile's in every row of the function", () => {
    const { engine } = runDesign(`${sample}\ncosts:\n  tcp_input: 7us\n  sosend: { call: 1us, byte: 1ns }\n  backend_receive: { byte: 2ns }\n`);
    const { trace, names } = engine;
    let [input, send] = [0, 0];
    for (let row = 0; row < trace.length; row++) {
      const { name } = names.functions[trace.fn(row)]!;
      if (name === "tcp_input") assert.equal(trace.cost(row), 7e6, `${input++}`);
      if (name === "sosend") assert.equal(trace.cost(row), 1e6 + 1000 * trace.a(row), `${send++}`);
    }
    assert.ok(input > 100 && send > 100);
  });

  it("what the profile does not know, and what is no time, is said at its place", () => {
    const text = `${sample}\ncosts:\n  tcp_inputt: 7us\n  sosend: 5\n  soreceive: { cal: 1us }\n`;
    const { problems } = parseDesign(text);
    assert.deepEqual(problems.map(({ code, range }) => [code, text.slice(range.start, range.end)]), [["unknown-key", "tcp_inputt"], ["bad-unit", "5"], ["unknown-key", "cal"]]);
    assert.equal(problems[0]!.fix?.edits[0]!.text, "tcp_input");
  });
});

import assert from "node:assert/strict";
import { findDefinition } from "../../../extension/debug/findDefinition";

describe("findDefinition", () => {
  const source = [
    "#include <sys/mbuf.h>",
    "int tcp_output(struct tcpcb *);",
    "static int\tother(int (*callback)(void), int n) { return tcp_output(0); }",
    "",
    "/* Tcp output routine. */",
    "int",
    "tcp_output(struct tcpcb *tp)",
    "{",
    "\treturn tcp_output_(tp);",
    "}",
    "int old_style(a)",
    "\tint a;",
    "{ return a; }",
    "void declared(void), another(void);",
  ].join("\n");

  it("finds a definition whose type stands on the line above", () => assert.equal(findDefinition(source, "tcp_output"), 6));
  it("finds a definition on one line, with a function among its parameters", () => assert.equal(findDefinition(source, "other"), 2));
  it("finds a definition in the old style", () => assert.equal(findDefinition(source, "old_style"), 10));
  it("takes no declaration and no call for a definition", () => {
    assert.equal(findDefinition(source, "declared"), undefined);
    assert.equal(findDefinition(source, "tcp_output_"), undefined);
    assert.equal(findDefinition(source, "callback"), undefined);
  });
  it("looks for nothing where the name is not one", () => assert.equal(findDefinition(source, "*"), undefined));
});

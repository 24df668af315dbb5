import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { applyEdits } from "../../engine/design/edit";
import type { Part } from "../../engine/design/model";
import { parseDesign } from "../../engine/design/parse";
import { PROBLEM_CODES } from "../../engine/design/problems";
import { randomDesign } from "../support/randomDesign";
import { times } from "../support/times";

const samples = readdirSync("samples", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".exo.yaml")).sort()
  .map((file) => readFileSync(`samples/${file}`, "utf8"));

const codes: ReadonlySet<string> = new Set(PROBLEM_CODES);

/** What holds for any text at all. */
function checkAny(text: string): void {
  const { design, problems } = parseDesign(text);
  const inside = ({ start, end }: { start: number; end: number }) => assert.ok(start >= 0 && start <= end && end <= text.length, `${start}-${end} of ${text.length}`);
  for (const { range, code, message, fix } of problems) {
    inside(range);
    assert.ok(codes.has(code), code);
    assert.ok(message.length > 10 && message.length < 600, message);
    fix?.edits.forEach((edit) => inside(edit.range));
    if (fix) parseDesign(applyEdits(text, fix.edits));
  }
  if (!design) {
    assert.notEqual(problems.length, 0, "no design, and no reason");
    return;
  }
  const parts: Part[] = [
    ...design.hosts.flatMap((host) => [
      host, ...(host.hypervisor ? [host.hypervisor] : []), ...host.devices.flatMap((d) => [d, ...d.functions]), ...host.domains.flatMap((d) => [d, ...d.components]),
    ]),
    ...design.links, ...design.workloads, ...design.faults,
  ];
  assert.equal(new Set(parts.map(({ path }) => path)).size, parts.length, "paths are unique");
  for (const { range, nameRange } of parts) {
    inside(range);
    inside(nameRange);
  }
  const components = design.hosts.flatMap((host) => host.domains).flatMap((domain) => domain.components);
  const sharing = new Set(components.filter(({ type, options }) => type === "netserver" && "ip" in options).map(({ path }) => path));
  const addresses = components.filter(({ type }) => type === "tcpip")
    .filter(({ domain }) => !components.some((c) => c.domain === domain && c.channel !== undefined && sharing.has(c.channel)))
    .map(({ options }) => String(options["ip"]));
  assert.ok(problems.some(({ code }) => code === "address-taken") || new Set(addresses).size === addresses.length, "addresses are unique, but for those that a server shares out");
}

describe("parsing any text", () => {
  it("of a sample truncated at each byte", () => {
    // Every byte of one, of the others every few: what begins and ends there is the same everywhere.
    samples.forEach((sample, which) => {
      for (let end = 0; end <= sample.length; end += which === 0 ? 1 : 1 + (end % 7)) checkAny(sample.slice(0, end));
    });
  });

  it("of a sample with parts cut, doubled, swapped or replaced", () => {
    const piece = fc.constantFrom("", " ", "\n", "  ", "- ", ": ", "{", "}", "[", "]", "*a ", "&a ", "<<: *a", "'", '"', "|", ">", "#", "\t", "\0", "\r", "!!map ", "---\n", "null", "1e400", "0x10", "-1", "nic0.vf9", "hosts", "\ud800", "é", "…");
    const change = fc.record({ at: fc.nat(), length: fc.nat({ max: 60 }), by: piece, move: fc.boolean() });
    fc.assert(
      fc.property(fc.nat({ max: samples.length - 1 }), fc.array(change, { minLength: 1, maxLength: 6 }), (which, changes) => {
        let text = samples[which] ?? "";
        for (const { at, length, by, move } of changes) {
          const start = at % (text.length + 1);
          text = text.slice(0, start) + by + (move ? text.slice(start) : text.slice(start + length));
        }
        checkAny(text);
      }),
      { numRuns: times(1500) },
    );
  });

  it("of random designs, without problems", () => {
    fc.assert(fc.property(randomDesign, ({ text, domains, vfs }) => {
      checkAny(text);
      const { design, problems } = parseDesign(text);
      assert.deepEqual(problems, []);
      assert.equal(design?.hosts[0]?.domains.length, domains.length + 1);
      assert.equal(design.hosts[0]?.devices[0]?.vfs, vfs);
    }), { numRuns: times(200) });
  });

  it("of any characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), checkAny), { numRuns: times(300) });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."a1:-?{}[]&*#|>'\"%@!,\n\t \\<=."), maxLength: 80 }), checkAny), { numRuns: times(2000) });
  });

  it("that is hostile: aliases that multiply, merges that loop, deep nesting, endless lists", () => {
    const letters = "abcdefghijklmnopqrst";
    const laughs = ["exoscope: 1", "a: &a [x]", ...[...letters].slice(1).map((c, i) => `${c}: &${c} [${Array.from({ length: 9 }, () => `*${letters[i]}`).join(",")}]`)];
    const size = 1 << 16;
    const fill = (part: string) => part.repeat(Math.floor(size / part.length));
    const hostile = [
      `${laughs.join("\n")}\nhosts: { s: { domains: { d: { components: *t } } } }\n`,
      "exoscope: 1\nhosts: &h { s: &s { <<: *h, domains: *s } }\n",
      `exoscope: 1\nx: &x {<<: [${fill("*x,").slice(0, -1)}]}\nhosts: *x\n`,
      ...["[", "{", "- ", "? ", "]", "a: [", "- [", ",", "\n", "-\n", "&a ", "!a ", "*a ", "k: 1\n", "{a: ", "'", "\"\n", ": ", "|\n", "é"].map((part) => fill(part).slice(0, size)),
      Array.from({ length: 700 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    ];
    for (const text of hostile) checkAny(text);
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { applyEdits, canMoveUplink, freeFunctions, moveUplink, setPin, uplinkTarget } from "../../engine/design/edit";
import type { Design, Domain } from "../../engine/design/model";
import { parseDesign } from "../../engine/design/parse";
import { randomDesign } from "../support/randomDesign";
import { times } from "../support/times";

function parsed(text: string): Design {
  const { design, problems } = parseDesign(text);
  assert.deepEqual(problems.map(({ code, message }) => [code, message]), [], text);
  assert.ok(design);
  return design;
}

function domainOf(design: Design, path: string): Domain {
  const domain = design.hosts.flatMap(({ domains }) => domains).find((d) => d.path === path);
  assert.ok(domain, path);
  return domain;
}

function targets(design: Design): string[] {
  const [server] = design.hosts;
  return ["server/netsrv/netserver", "server/nic0", ...(server?.devices[0]?.functions.map(({ path }) => path) ?? []), "server/app0/tcpip", "client/nic/pf"];
}

const pick = fc.nat({ max: 1000 });

describe("moving an uplink", () => {
  it("gives the design that was meant, touches only the lines of the uplink, and its inverse restores the bytes", () => {
    let moves = 0;
    fc.assert(
      fc.property(randomDesign, pick, pick, ({ text, domains }, which, to) => {
        const before = parsed(text);
        const path = `server/app${which % domains.length}`;
        const domain = domainOf(before, path);
        const all = targets(before);
        const target = all[to % all.length] ?? "";
        const edits = moveUplink(text, before, path, target);
        const reason = canMoveUplink(before, path, target);
        if (!Array.isArray(edits)) {
          assert.deepEqual(edits, reason, "refused for the reason that was foretold");
          return;
        }
        assert.equal(reason, undefined);
        if (edits.length > 0) moves++;
        const after = applyEdits(text, edits);
        const design = parsed(after);
        const reached = uplinkTarget(domainOf(design, path));
        assert.ok(reached === target || (target === "server/nic0" && reached?.startsWith("server/nic0/vf")), `${reached} is not ${target}`);

        const uplinkLines = new Set([...domain.components.filter(({ path: c }) => domain.uplinks.includes(c)).map(({ range }) => range), domain.range].flatMap((range, i, { length }) => linesOf(text, range, i === length - 1)));
        const [a, b] = [text.split("\n"), after.split("\n")];
        assert.equal(a.length, b.length);
        a.forEach((line, i) => assert.ok(line === b[i] || uplinkLines.has(i), `line ${i} changed: ${line} -> ${b[i]}`));

        const back = moveUplink(after, design, path, uplinkTarget(domain) ?? "");
        assert.ok(Array.isArray(back), JSON.stringify(back));
        const restored = applyEdits(after, back);
        // Of two interfaces, the one not in use keeps what it was last bound to.
        if (domain.uplinks.length === 1) assert.equal(restored, text);
        else assert.equal(uplinkTarget(domainOf(parsed(restored), path)), uplinkTarget(domain));
      }),
      { numRuns: times(400) },
    );
    assert.ok(moves > 40, `only ${moves} of the runs moved anything`);
  });

  it("never takes a function that is bound, and offers those that are free", () => {
    fc.assert(
      fc.property(randomDesign, ({ text, domains, vfs }) => {
        const design = parsed(text);
        const free = freeFunctions(design, "server");
        assert.equal(free.length, vfs - domains.filter(({ vf }) => vf !== undefined).length);
        for (let i = 0; i < domains.length; i++) {
          for (const { path, boundTo } of design.hosts[0]?.devices[0]?.functions ?? []) {
            const mine = boundTo?.startsWith(`server/app${i}/`) ?? path !== "server/nic0/pf";
            assert.equal(canMoveUplink(design, `server/app${i}`, path)?.code, mine ? undefined : "function-taken");
          }
        }
      }),
      { numRuns: times(100) },
    );
  });
});

describe("pinning", () => {
  const position = fc.record({ x: fc.integer({ min: -5000, max: 5000 }), y: fc.integer({ min: -5000, max: 5000 }) });

  it("adds, moves and removes pins; freeing what was pinned restores the bytes", () => {
    fc.assert(
      fc.property(randomDesign, position, position, ({ text }, first, second) => {
        const edit = (from: string, path: string, to: typeof first | undefined) => {
          const edits = setPin(from, path, to);
          assert.ok(Array.isArray(edits), JSON.stringify(edits));
          return applyEdits(from, edits);
        };
        const one = edit(text, "server/app0", first);
        assert.deepEqual({ ...parsed(one).pins.get("server/app0") }, { ...first });
        assert.ok(one.startsWith(text));
        const two = edit(one, "client", second);
        assert.deepEqual([...parsed(two).pins].map(([path, { x, y }]) => [path, x, y]), [["server/app0", first.x, first.y], ["client", second.x, second.y]]);
        assert.deepEqual({ ...parsed(edit(two, "server/app0", second)).pins.get("server/app0") }, { ...second });
        assert.equal(edit(two, "client", undefined), one);
        assert.equal(edit(one, "server/app0", undefined), text);
        assert.equal(edit(text, "server/app0", undefined), text);
      }),
      { numRuns: times(100) },
    );
  });
});

/** Line numbers of a range; of a domain, only those of its `uplinks`. */
function linesOf(text: string, { start, end }: { start: number; end: number }, uplinksOnly: boolean): number[] {
  const first = text.slice(0, start).split("\n").length - 1;
  const lines = text.slice(start, end).split("\n");
  return lines.flatMap((line, i) => (!uplinksOnly || line.trimStart().startsWith("uplinks:") ? [first + i] : []));
}

import assert from "node:assert/strict";
import { parseDesign } from "../../../engine/design/parse";
import { Comparison } from "../../validation/comparison";
import { rows } from "../../validation/rows";
import { testbed, twoApplications, type AnySystem } from "../../validation/testbed";

describe("comparisons of two systems", () => {
  const gains = (...percents: readonly number[]): Comparison => new Comparison(percents.map((percent) => [100 + percent, 100]));

  it("hold only where they hold at every point", () => {
    assert.deepEqual(gains(1, 20).always(), { ours: "faster at 2 of 2 points, +1 % to +20 %", holds: true });
    assert.deepEqual(gains(1, -20).always(), { ours: "faster at 1 of 2 points, −20 % to +1 %", holds: false });
    assert.equal(gains(0, -20).never().holds, true);
    assert.equal(gains(-20, 1).never().holds, false);
    assert.deepEqual(gains(-10, 0, 9).alike(), { ours: "−10 % to +9 %; within 10 % at 3 of 3 points", holds: true });
    assert.equal(gains(-11, 0).alike().holds, false);
    assert.equal(gains(-11, 0).alike(15).holds, true);
    assert.equal(gains(-34, -60).muchSlower().holds, true);
    assert.equal(gains(-34, -30).muchSlower().holds, false);
  });
});

describe("the costs that are fitted", () => {
  it("are at their fit: NetPIPE takes the time that they were fitted to", () => {
    const fitted = rows.filter(({ kind, metric }) => kind === "fitted" && metric === "time one way");
    assert.equal(fitted.length, 2);
    for (const { system, measure } of fitted) assert.ok(Math.abs(measure().error!) < 0.5, `${system}: npm run validate -- --fit`);
  });
});

describe("the testbed's designs", () => {
  const systems: readonly AnySystem[] = ["LibrettOS-Direct", "LibrettOS-Server", "LibrettOS-Hybrid", "Linux", "NetBSD", "rumprun with netfront"];

  it("have no problems, and as many queues as each system's driver takes", () => {
    for (const system of systems) {
      const text = testbed(system, { application: "memcached", vcpus: 18, until: "1s", manyQueues: true, workloads: ["memcached: { from: client, to: app }"] });
      const { design, problems } = parseDesign(text);
      assert.deepEqual(problems.filter(({ severity }) => severity === "error"), [], system);
      const queuesAt = (host: string): number[] => design!.hosts.find(({ path }) => path === host)!.domains
        .flatMap(({ components }) => components).filter(({ type }) => type === "ixgbe").map(({ options }) => Number(options["queues"] ?? 1));
      assert.equal(Math.max(...queuesAt("server")), system === "Linux" ? 16 : system === "NetBSD" ? 8 : 1, system);
      assert.deepEqual(queuesAt("client"), [16]);
    }
    const two = twoApplications({ workloads: ["http: { from: client, to: nginx }", "key-value: { from: client, to: redis }"], until: "1s" });
    assert.deepEqual(parseDesign(two).problems.filter(({ severity }) => severity === "error"), []);
  });
});

import assert from "node:assert/strict";
import { applyEdits, canMoveUplink, moveUplink, setPin } from "../../../engine/design/edit";
import { parseDesign } from "../../../engine/design/parse";
import { designText, ECOSYSTEM } from "../../support/designText";

const SERVER = ["netserver", "ixgbe: { bind: nic0.pf }"];
const app = (uplink: string, port = 80) => [`http-server: { port: ${port} }`, "libc", "tcpip", uplink];
const VIF = "vif: { channel: netsrv.netserver }";

function move(text: string, domain: string, target: string): string {
  const { design } = parseDesign(text);
  assert.ok(design);
  const edits = moveUplink(text, design, domain, target);
  assert.ok(Array.isArray(edits), `refused: ${JSON.stringify(edits)}`);
  return applyEdits(text, edits);
}

function refused(text: string, domain: string, target: string): string {
  const { design } = parseDesign(text);
  assert.ok(design);
  const problem = moveUplink(text, design, domain, target);
  assert.ok(!Array.isArray(problem), `allowed: ${JSON.stringify(problem)}`);
  assert.match(problem.message, /\.$/);
  return problem.code;
}

describe("moveUplink", () => {
  const sample = ECOSYSTEM;

  it("changes one line of the sample, and back", () => {
    const direct = move(sample, "server/redis", "server/nic0/vf1");
    assert.equal(direct, sample.replace("- vif: { channel: netsrv.netserver }", "- ixgbe: { bind: nic0.vf1 }"));
    assert.equal(move(direct, "server/redis", "server/netsrv/netserver"), sample);
  });

  it("takes the first free VF where the target is a device, and says so where none is left", () => {
    const one = move(sample, "server/redis", "server/nic0");
    assert.match(one, /bind: nic0\.vf1/);
    const full = designText({ domains: { netsrv: SERVER, a: app("ixgbe: { bind: nic0.vf0 }"), b: app(VIF, 81) }, vfs: 1 });
    assert.equal(refused(full, "server/b", "server/nic0"), "no-free-vf");
  });

  it("writes the option where the line had none", () => {
    for (const line of ["vif", "vif:", "vif: {}"]) {
      const text = designText({ domains: { netsrv: SERVER, web: app(line) } });
      assert.match(move(text, "server/web", "server/netsrv/netserver"), /- vif: \{ channel: netsrv\.netserver \}\n/);
      assert.match(move(text, "server/web", "server/nic0/vf1"), /- ixgbe: \{ bind: nic0\.vf1 \}\n/);
    }
  });

  it("switches between listed uplinks by their active one alone", () => {
    const text = designText({ domains: { netsrv: SERVER, web: [...app(VIF), "ixgbe: { bind: nic0.vf0 }"] } })
      .replace("web:\n", "web:\n        uplinks: { tcpip: [vif, ixgbe], active: vif } # by hand\n");
    const direct = move(text, "server/web", "server/nic0/vf0");
    assert.equal(direct, text.replace("active: vif", "active: ixgbe"));
    assert.equal(move(direct, "server/web", "server/netsrv/netserver"), text);
    assert.equal(move(text, "server/web", "server/nic0/vf1"), text.replace("active: vif", "active: ixgbe").replace("vf0", "vf1"));
  });

  it("says which interface is active where the file did not", () => {
    const both = designText({ domains: { netsrv: SERVER, web: [...app(VIF), "ixgbe: { bind: nic0.vf0 }"] } });
    assert.equal(move(both, "server/web", "server/nic0/vf0"), both.replace("web:\n", "web:\n        uplinks: { active: ixgbe }\n"));
    const listed = both.replace("web:\n", "web:\n        uplinks:\n          tcpip: [vif, ixgbe] # both\n");
    assert.equal(move(listed, "server/web", "server/nic0/vf0"), listed.replace("# both\n", "# both\n          active: ixgbe\n"));
  });

  it("renames a single interface where uplinks names it", () => {
    const text = designText({ domains: { netsrv: SERVER, web: app(VIF) } }).replace("web:\n", "web:\n        uplinks: { tcpip: ['vif'], active: \"vif\" }\n");
    const direct = move(text, "server/web", "server/nic0/vf0");
    assert.equal(direct, text.replace("['vif'], active: \"vif\"", "['ixgbe'], active: \"ixgbe\"").replace(VIF, "ixgbe: { bind: nic0.vf0 }"));
    assert.equal(move(direct, "server/web", "server/netsrv/netserver"), text);
  });

  it("moves a guest of a network server to a driver domain, by netfront, and back", () => {
    const driver = designText({ domains: { netsrv: ["netserver", "ixgbe: { bind: nic0.vf1 }"], driver: ["netback", "bridge", "ixgbe: { bind: nic0.pf }"], web: app(VIF) } })
      .replace("      driver:\n", "      driver:\n        kind: driver-domain\n");
    const moved = move(driver, "server/web", "server/driver/netback");
    assert.equal(moved, driver.replace(VIF, "netfront: { channel: driver.netback }"));
    assert.equal(move(moved, "server/web", "server/netsrv/netserver"), driver);
    assert.equal(refused(driver, "server/web", "server/driver/bridge"), "not-a-server");
  });

  it("refuses what cannot be, with the reason", () => {
    const web = app("ixgbe: { bind: nic0.vf0 }");
    const two = designText({ domains: { netsrv: SERVER, a: web, b: app(VIF) } });
    assert.equal(refused(two, "server/a", "server/netsrv/netserver"), "port-taken");
    assert.equal(refused(two, "server/b", "server/nic0/vf0"), "function-taken");
    assert.equal(refused(two, "server/b", "server/nic0/pf"), "function-taken");
    assert.equal(refused(two, "server/b", "server/nic0/vf7"), "vf-missing");
    assert.equal(refused(two, "server/b", "server/a/tcpip"), "not-a-server");
    assert.equal(refused(two, "server/b", "client/nic/pf"), "other-host");
    assert.equal(refused(two, "server/b", "server/nic9/pf"), "unknown-reference");
    assert.equal(refused(two, "server/c", "server/nic0/vf1"), "unknown-reference");
    assert.equal(refused(two, "client/os", "client/nic/pf"), "not-editable");
    assert.equal(refused(two, "server/netsrv", "server/netsrv/netserver"), "channel-loop");
    assert.equal(refused(designText({ domains: { netsrv: SERVER, b: app(VIF) }, iommu: "off" }), "server/b", "server/nic0/vf0"), "direct-without-iommu");
    assert.equal(refused(designText({ domains: { netsrv: SERVER, b: ["compute"] } }), "server/b", "server/nic0/vf0"), "no-uplink");
    const full = designText({ domains: { netsrv: ["netserver: { applications: 1 }", "ixgbe: { bind: nic0.pf }"], a: app(VIF), b: app("ixgbe: { bind: nic0.vf0 }", 81) } });
    assert.equal(refused(full, "server/b", "server/netsrv/netserver"), "server-full");
  });

  it("refuses to change what an alias shares with another domain", () => {
    const text = designText({ domains: { netsrv: SERVER, web: app(VIF) } })
      .replace("components:\n          - http", "components: &c\n          - http").replace("  client:", "      twin: { components: *c }\n  client:");
    const { design } = parseDesign(text);
    assert.ok(design);
    assert.equal(canMoveUplink(design, "server/web", "server/nic0/vf0"), undefined, "the design would allow it");
    for (const domain of ["server/web", "server/twin"]) {
      assert.equal(refused(text, domain, "server/nic0/vf0"), "not-editable");
    }
  });
});

describe("setPin", () => {
  const apply = (text: string, path: string, position?: { x: number; y: number }) => {
    const edits = setPin(text, path, position);
    assert.ok(Array.isArray(edits), JSON.stringify(edits));
    return applyEdits(text, edits);
  };
  const base = "exoscope: 1\nhosts: {}";

  it("adds the section at the end, in the file's style", () => {
    assert.equal(apply(base, "server", { x: 1.6, y: -2 }), `${base}\nlayout:\n  pins:\n    server: [2, -2]`);
    assert.equal(apply("{ exoscope: 1, hosts: {} }", "server", { x: 1, y: 2 }), "{ exoscope: 1, hosts: {}, layout: { pins: { server: [1, 2] } } }");
  });

  it("uses what is there", () => {
    for (const [before, after] of [
      ["layout:\n", "layout: { pins: { a: [1, 2] } }\n"], ["layout: {}\n", "layout: { pins: { a: [1, 2] } }\n"], ["layout:\n  pins:\n", "layout:\n  pins: { a: [1, 2] }\n"],
      ["layout:\n  pins:\n    b: [0, 0] # b\n\n# end\n", "layout:\n  pins:\n    b: [0, 0] # b\n    a: [1, 2]\n\n# end\n"], ["layout: { pins: { a: [0, 0], b: [3, 4] } }", "layout: { pins: { a: [1, 2], b: [3, 4] } }"],
      ["layout:\n  pins:\n    a:\n", "layout:\n  pins:\n    a: [1, 2]\n"],
    ] as const) {
      assert.equal(apply(`${base}\n${before}`, "a", { x: 1, y: 2 }), `${base}\n${after}`);
    }
  });

  it("removes one pin of several, in either style", () => {
    for (const [before, after] of [
      ["layout: { pins: { a: [0, 0], b: [3, 4] } }", "layout: { pins: { b: [3, 4] } }"], ["layout: { pins: { b: [3, 4], a: [0, 0] } }", "layout: { pins: { b: [3, 4] } }"],
      ["layout:\n  pins:\n    b: [0, 0]\n    a: [1, 2]", "layout:\n  pins:\n    b: [0, 0]"],
    ] as const) {
      assert.equal(apply(`${base}\n${before}`, "a"), `${base}\n${after}`);
    }
  });

  it("refuses a layout that it cannot read", () => {
    for (const text of [`${base}\nlayout: 3\n`, `${base}\nlayout: { pins: [] }\n`, "- a list\n", ""]) {
      const result = setPin(text, "a", { x: 1, y: 2 });
      assert.equal(Array.isArray(result) ? applyEdits(text, result) : result.code, "not-editable");
    }
  });
});

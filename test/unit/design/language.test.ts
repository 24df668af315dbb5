import assert from "node:assert/strict";
import { complete } from "../../../engine/design/language/complete";
import { explain } from "../../../engine/design/language/explain";
import { outline } from "../../../engine/design/language/outline";
import type { OutlineNode } from "../../../engine/design/language/outline";
import { parseDesign } from "../../../engine/design/parse";
import { ECOSYSTEM } from "../../support/designText";

const sample = ECOSYSTEM;

/** The sample with `from` replaced by `to`, in which `|` is the caret. */
function at(from: string, to: string): { text: string; offset: number } {
  assert.ok(sample.includes(from), from);
  const text = sample.replace(from, () => to);
  const offset = text.indexOf("|");
  return { text: text.slice(0, offset) + text.slice(offset + 1), offset };
}

function labels(from: string, to: string): string[] {
  const { text, offset } = at(from, to);
  return complete(text, offset).map(({ label }) => label);
}

describe("completion", () => {
  it("offers the keys of the section that are not there yet", () => {
    assert.deepEqual(labels("\nworkloads:", "\n|\nworkloads:"), ["faults", "switches", "costs", "layout"]);
    assert.deepEqual(labels("\nworkloads:", "\nfau|\nworkloads:"), ["faults", "switches", "costs", "layout"]);
    assert.deepEqual(labels("        kind: vm\n        vcpus: 2\n", "        kind: vm\n        vcpus: 2\n        wei|\n"), ["kernel", "system", "net-mpsafe", "weight", "cap", "affinity", "scheduler", "memory-node", "idle", "uplinks"]);
    assert.deepEqual(labels("{ cores: 6, numa: 1 }", "{ cores: 6, | }"), ["numa"]);
    assert.deepEqual(labels("{ cores: 6, numa: 1 }", "{ | }"), ["cores", "numa"]);
    assert.deepEqual(labels("\nworkloads:", "\nswitches:\n  - { at: 1ms, | }\nworkloads:"), ["switch", "to"]);
    assert.deepEqual(labels("\nworkloads:", "\nswitches:\n  - { policy: load, | }\nworkloads:"), ["switch", "above", "below", "window", "dwell"]);
    assert.deepEqual(labels("\nworkloads:", "\nswitches:\n  - { policy: | }\nworkloads:"), ["load", "packet-rate", "vf-scarcity"]);
    assert.deepEqual(labels("\nworkloads:", "\nswitches:\n  - { at: 1ms, switch: nginx, to: | }\nworkloads:"), ["server", "direct"]);
    assert.deepEqual(labels("{ cores: 6, numa: 1 }", "{ co|: 6 }"), ["cores", "numa"]);
    assert.deepEqual(labels("{ to: server.nic0, rate: 10Gbps, delay: 2us }", "{ to: server.nic0, rate: 10Gbps, delay: 2us, l|"), ["loss", "corrupt", "duplicate", "reorder", "reorder-by"]);
    assert.deepEqual(labels("{ port: 80 }", "{ port: 80, | }"), ["backlog", "workers", "service", "distribution", "id"]);
  });

  it("offers component and workload types where a list goes on", () => {
    const types = labels("          - tcpip\n          - ixgbe: { bind: nic0.vf0 }", "          - |\n          - ixgbe: { bind: nic0.vf0 }");
    assert.ok(types.includes("tcpip") && types.includes("vif") && types.includes("load-generator"));
    assert.deepEqual(labels("          - tcpip\n          - ixgbe: { bind: nic0.vf0 }", "          - ixg|"), types);
    assert.deepEqual(labels("\nrun:", "  - |\n\nrun:"), ["http", "key-value", "memcached", "netpipe", "tcp-stream", "udp-stream", "open-loop", "ping"]);
    const { text, offset } = at("          - tcpip\n          - ixgbe: { bind: nic0.vf0 }", "          - vi|");
    assert.deepEqual(complete(text, offset).find(({ label }) => label === "vif")?.insert, "vif: { channel: | }");
    assert.deepEqual(complete(text, offset)[0]?.range, { start: offset - 2, end: offset });
  });

  it("offers what a reference may be, the usable ones first", () => {
    const { text, offset } = at("bind: nic0.vf0", "bind: |");
    assert.deepEqual(complete(text, offset).map(({ label, detail }) => [label, detail]), [["nic0.vf0", "free"], ["nic0.vf1", "free"], ["nic0.pf", "bound to server/netsrv/ixgbe"]]);
    assert.deepEqual(labels("bind: nic0.vf0", "bind: nic0.|"), ["nic0.vf0", "nic0.vf1", "nic0.pf"]);
    assert.deepEqual(labels("channel: netsrv.netserver", "channel: |"), ["netsrv.netserver"]);
    assert.deepEqual(labels("from: client, to: nginx", "from: |, to: nginx"), ["client"]);
    const asks = sample.replace("          - key-value-store", "          - load-generator\n          - key-value-store").replace("from: client, to: nginx", "from: , to: nginx");
    assert.deepEqual(complete(asks, asks.indexOf("from: , to") + 6).map(({ label }) => label), ["redis", "client"]);
    assert.deepEqual(labels("from: client, to: nginx", "from: client, to: ng|"), ["netsrv", "nginx", "nginx.http-server", "redis"]);
    assert.deepEqual(labels("from: client, to: nginx", "from: client, to: nginx.|"), ["netsrv", "nginx", "nginx.http-server", "redis"]);
    const inetd = sample.replace("          - key-value-store", "          - discard\n          - discard: { id: datagrams, protocol: udp }\n          - key-value-store").replace("http: { from: client, to: nginx", "udp-stream: { from: client, to: ");
    // The one that answers nothing here comes last.
    assert.deepEqual(complete(inetd, inetd.indexOf("client, to: ,") + 12).map(({ label, detail }) => [label, detail]), [["netsrv", "vm"], ["nginx", "vm"], ["redis", "vm"], ["redis.datagrams", "discard"], ["redis.discard", "discard"]]);
    assert.deepEqual(labels("{ to: server.nic0,", "{ to: s|,"), ["server.nic0"]);
    assert.deepEqual(labels("        vcpus: 2\n", "        vcpus: 2\n        uplinks: { active: | }\n"), ["ixgbe"]);
    assert.deepEqual(labels("\nrun:", "\nfaults:\n  - { at: 1ms, crash: | }\n\nrun:").slice(0, 2), ["netsrv", "netsrv.netserver"]);
  });

  it("offers for a switch the domains that can switch", () => {
    const able = (text: string): string => text.replace("          - ixgbe: { bind: nic0.vf0 }", "          - vif: { channel: netsrv.netserver }\n          - ixgbe: { bind: nic0.vf0 }\n        uplinks: { tcpip: [vif, ixgbe], active: vif }");
    const offered = (design: string, entry: string): unknown[] => {
      const marked = able(design).replace("\nworkloads:", () => `\nswitches:\n  - ${entry}\nworkloads:`);
      const offset = marked.indexOf("|");
      return complete(marked.slice(0, offset) + marked.slice(offset + 1), offset).map(({ label, detail }) => [label, detail]);
    };
    for (const entry of ["{ at: 1ms, switch: | }", "{ at: 1ms, switch: ng| }", "{ policy: load, switch: | }"]) assert.deepEqual(offered(sample, entry), [["nginx", "vif, ixgbe"]], entry);
    assert.deepEqual(offered(sample, "{ policy: vf-scarcity, among: [|] }"), [["nginx", "vif, ixgbe"]]);
    assert.deepEqual(labels("\nworkloads:", "\nswitches:\n  - { at: 1ms, switch: | }\nworkloads:"), []);
  });

  it("offers choices, units and defaults", () => {
    assert.deepEqual(labels("iommu: on", "iommu: |"), ["on", "off"]);
    assert.deepEqual(labels("kind: vm", "kind: |").slice(0, 3), ["vm", "kernel", "process"]);
    assert.deepEqual(labels("timeslice: 30ms", "timeslice: 30|"), ["30ns", "30us", "30ms", "30s"]);
    assert.deepEqual(labels("timeslice: 30ms", "timeslice: |"), ["30ms"]);
    assert.deepEqual(labels("seed: 1", "seed: |"), ["1"]);
  });

  it("offers the costs that the profile has, with what it says of them, quoted where YAML needs it", () => {
    const { text, offset } = at("\nworkloads:", "\ncosts:\n  |\nworkloads:");
    const costs = complete(text, offset);
    const tcp = costs.find(({ label }) => label === "tcp_output");
    assert.match(tcp?.detail ?? "", /^default [\d.]+(ns|us)$/);
    assert.match(tcp?.doc ?? "", /\((measured|vendor|fitted|estimate)\)$/);
    assert.equal(costs.find(({ label }) => label === "VM exit: EOI")?.insert, '"VM exit: EOI": ');
    assert.ok(!labels("\nworkloads:", "\ncosts:\n  tcp_output: 1us\n  |\nworkloads:").includes("tcp_output"));
    assert.deepEqual(labels("\nworkloads:", "\ncosts:\n  tcp_output: { | }\nworkloads:"), ["call", "byte"]);
    const set = at("\nworkloads:", "\ncosts:\n  tcp_|output: 1us\nworkloads:");
    assert.equal(explain(set.text, set.offset)?.title, "tcp_output");
  });

  it("offers nothing where names are the user's own, or nothing is known", () => {
    assert.deepEqual(labels("hosts:\n", "hosts:\n  |\n"), []);
    assert.deepEqual(labels("name: LibrettOS web server", "name: |"), []);
  });

  it("offers the first keys of an empty file", () => {
    assert.equal(complete("", 0)[0]?.label, "exoscope");
  });

  it("answers anywhere in the sample, and in every beginning of it", () => {
    for (let offset = 0; offset <= sample.length; offset += 11) {
      for (const { range, insert } of [...complete(sample, offset), ...complete(sample.slice(0, offset), offset)]) {
        assert.ok(range.end === offset && range.start <= offset && insert.length > 0);
      }
    }
  });
});

describe("hover", () => {
  const on = (word: string, inside: string) => {
    const offset = sample.indexOf(inside) + inside.indexOf(word);
    const found = explain(sample, offset);
    assert.ok(found, `nothing on ${word}`);
    assert.equal(sample.slice(found.range.start, found.range.end), word);
    return { title: found.title, doc: found.doc, facts: Object.fromEntries(found.facts.map(({ name, value }) => [name, value])) };
  };

  it("documents components, with what was resolved", () => {
    const tcpip = on("tcpip", "tcpip\n          - ixgbe: { bind: nic0.vf0");
    assert.equal(tcpip.title, "TCP/IP");
    assert.deepEqual(tcpip.facts, { path: "server/nginx/tcpip", ip: "10.0.0.1" });
    assert.deepEqual(on("vif", "vif: {").facts, { path: "server/redis/vif", "channel to": "server/netsrv/netserver" });
  });

  it("gives quantities exactly and keys with their defaults", () => {
    assert.deepEqual(on("2us", "2us").facts, { picoseconds: "2\u202f000\u202f000", default: "1us" });
    assert.deepEqual(on("8KiB", "8KiB").facts, { bytes: "8\u202f192", default: "8KiB" });
    assert.match(on("ratelimit", "ratelimit: 1ms").doc, /preempted/);
    assert.equal(on("credit", "credit,").title, "credit");
  });

  it("says where references lead, and what names are", () => {
    assert.deepEqual(on("nic0.vf0", "nic0.vf0"), { title: "server/nic0/vf0", doc: "", facts: { "bound to": "server/nginx/ixgbe" } });
    assert.equal(on("netsrv.netserver", "netsrv.netserver").title, "server/netsrv/netserver");
    assert.equal(on("server.nic0", "server.nic0").title, "server/nic0");
    assert.equal(on("nginx", "nginx, size").title, "server/nginx");
    assert.equal(on("client", "client, to: nginx").title, "client");
    const named = sample.replace("to: nginx", "to: nginx.http-server");
    const found = explain(named, named.indexOf("nginx.http-server"));
    assert.deepEqual([found?.title, found?.facts.find(({ name }) => name === "port")?.value], ["server/nginx/http-server", "80"]);
    assert.deepEqual(on("nginx", "nginx:").facts, { kind: "vm", vCPUs: "2", uplink: "server/nginx/ixgbe" });
    assert.match(on("nic0", "nic0: {").doc, /82599|10 Gb/);
  });

  it("is silent between words", () => {
    assert.equal(explain(sample, 0), undefined);
    assert.equal(explain("", 0), undefined);
  });
});

describe("outline", () => {
  it("holds what the file spells, by path, each name within its node and each node within its parent", () => {
    const { design } = parseDesign(sample);
    assert.ok(design);
    const nodes = outline(design);
    const names = (list: readonly OutlineNode[]): unknown[] => list.map(({ name, children }) => (children.length > 0 ? [name, names(children)] : name));
    assert.deepEqual(names(nodes), [
      ["server", ["nic0", "hypervisor", ["netsrv", ["netserver", "ixgbe"]], ["nginx", ["http-server", "libc", "tcpip", "ixgbe"]], ["redis", ["key-value-store", "libc", "tcpip", "vif"]]]],
      ["client", ["link"]], "http", "key-value",
    ]);
    const check = (list: readonly OutlineNode[], within: { start: number; end: number }): void => {
      for (const { range, nameRange, children } of list) {
        assert.ok(within.start <= range.start && range.end <= within.end && range.start <= nameRange.start && nameRange.end <= range.end);
        check(children, range);
      }
    };
    check(nodes, { start: 0, end: sample.length });
  });
});

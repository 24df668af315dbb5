import assert from "node:assert/strict";
import { parseDesign } from "../../../engine/design/parse";
import type { Design } from "../../../engine/design/model";
import { designText, ECOSYSTEM } from "../../support/designText";

const sample = ECOSYSTEM;

function parsed(text: string): Design {
  const { design, problems } = parseDesign(text);
  assert.deepEqual(problems, []);
  assert.ok(design);
  return design;
}

function slice(text: string, { start, end }: { start: number; end: number }): string {
  return text.slice(start, end);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  assert.ok(item !== undefined);
  return item;
}

describe("parseDesign", () => {
  it("reads a whole design without problems", () => {
    const design = parsed(sample);
    assert.equal(design.name, "LibrettOS web server");
    assert.equal(design.profile, "xeon-4114-82599");
    assert.deepEqual(design.hosts.map(({ path, kind }) => [path, kind]), [["server", "machine"], ["client", "load-generator"]]);
    const [server, client] = design.hosts;
    assert.ok(server && client);
    assert.equal(server.iommu, true);
    assert.deepEqual(server.domains.map((d) => [d.path, d.kind, d.vcpus, d.activeUplink]), [
      ["server/netsrv", "vm", 1, "server/netsrv/ixgbe"], ["server/nginx", "vm", 2, "server/nginx/ixgbe"], ["server/redis", "vm", 1, "server/redis/vif"],
    ]);
    assert.deepEqual(at(server.devices, 0).functions.map((f) => [f.path, f.boundTo]), [
      ["server/nic0/pf", "server/netsrv/ixgbe"], ["server/nic0/vf0", "server/nginx/ixgbe"], ["server/nic0/vf1", undefined],
    ]);
    assert.equal(server.hypervisor?.timeslice, 30e9);
    assert.equal(server.domains[2]?.components[3]?.channel, "server/netsrv/netserver");
    assert.deepEqual(design.links.map(({ from, to, rate, delay, loss }) => ({ from, to, rate, delay, loss })), [{ from: "client", to: "server/nic0", rate: 1e10, delay: 2e6, loss: 0 }]);
    assert.deepEqual(design.workloads.map(({ path, from, to, options }) => ({ path, from, to, options })), [
      { path: "workloads/http-client-nginx", from: "client", to: "server/nginx", options: { concurrency: 8, requests: 400, size: 8192, keepalive: true } },
      { path: "workloads/key-value-client-redis", from: "client", to: "server/redis", options: { concurrency: 4, requests: 400, value: 128, sets: 1, gets: 10, pipeline: 1 } },
    ]);
    assert.deepEqual(design.run, { until: 200e9, seed: 1 });
  });

  it("gives a load generator a kernel and a NIC, with the ranges of what implies them", () => {
    const client = at(parsed(sample).hosts, 1);
    const os = at(client.domains, 0);
    assert.deepEqual([os.path, os.kind, os.vcpus], ["client/os", "kernel", 8]);
    assert.deepEqual(os.components.map(({ path, bind }) => [path, bind]), [
      ["client/os/load-generator", undefined], ["client/os/libc", undefined], ["client/os/tcpip", undefined], ["client/os/ixgbe", "client/nic/pf"],
    ]);
    assert.deepEqual([at(client.devices, 0).mtu, client.devices[0]?.functions[0]?.boundTo], [9000, "client/os/ixgbe"]);
    assert.equal(slice(sample, os.nameRange), "client");
    assert.equal(slice(sample, at(client.devices, 0).range), "link: { to: server.nic0, rate: 10Gbps, delay: 2us }");
  });

  it("keeps the range of every part: the entry, the name, the options", () => {
    const server = at(parsed(sample).hosts, 0);
    const redis = at(server.domains, 2);
    assert.equal(slice(sample, redis.nameRange), "redis");
    assert.equal(slice(sample, redis.range), sample.slice(sample.indexOf("redis:"), sample.indexOf("  client:")).trimEnd());
    const vif = at(redis.components, 3);
    assert.equal(slice(sample, vif.nameRange), "vif");
    assert.equal(slice(sample, vif.range), "vif: { channel: netsrv.netserver }");
    assert.deepEqual([...vif.optionRanges].map(([key, range]) => [key, slice(sample, range)]), [["channel", "netsrv.netserver"]]);
    assert.equal(slice(sample, at(redis.components, 1).range), "libc");
    assert.equal(slice(sample, at(at(server.devices, 0).functions, 1).range), "vfs: 2");
  });

  it("assigns free addresses in the file's order and keeps those written", () => {
    const { hosts } = parsed(designText({ domains: {
      a: ["tcpip", "ixgbe: { bind: nic0.vf0 }"], b: ["tcpip: { ip: 10.0.0.1 }", "ixgbe: { bind: nic0.vf1 }"],
    } }));
    const addresses = hosts.flatMap(({ domains }) => domains).map(({ components }) => components.find(({ type }) => type === "tcpip")?.options["ip"]);
    assert.deepEqual(addresses, ["10.0.0.2", "10.0.0.1", "10.0.0.3"]);
  });

  it("fills in defaults and reads fractions, faults, pins and affinity", () => {
    const text = designText({ domains: { web: ["http-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, [
      "workloads: [ http: { from: client, to: server.web } ]",
      "faults: [ { at: 400ms, crash: web, restart: 200ms } ]",
      "layout: { pins: { server/web: [120, -40.5] } }", "",
    ].join("\n")).replace("to: server.nic0", "to: server.nic0, loss: 1%").replace("        components", "        affinity: [0, 3]\n        components");
    const { design, problems } = parseDesign(text);
    assert.ok(design);
    assert.deepEqual(problems.map(({ code }) => code), []);
    assert.equal(at(design.links, 0).loss, 0.01);
    assert.deepEqual(at(design.workloads, 0).options, { concurrency: 1, requests: 1000, size: 8192, keepalive: true });
    assert.deepEqual(design.faults.map(({ path, at: when, kind, target, options }) => ({ path, when, kind, target, options })), [
      { path: "faults/crash-web", when: 400e9, kind: "crash", target: "server/web", options: { restart: 200e9 } },
    ]);
    assert.deepEqual([...design.pins], [["server/web", { x: 120, y: -40.5 }]]);
    const web = at(at(design.hosts, 0).domains, 0);
    assert.deepEqual([web.affinity, web.weight, web.cap, web.idle, web.vcpus], [[0, 3], 256, 0, "halt", 1]);
    assert.deepEqual(at(web.components, 0).options, { port: 80, backlog: 511, workers: 1, service: 0, distribution: "fixed" });
  });

  it("takes the interfaces and the active one from uplinks", () => {
    const text = designText({ domains: {
      netsrv: ["netserver", "ixgbe: { bind: nic0.pf }"], web: ["http-server", "libc", "tcpip", "vif: { channel: netsrv.netserver }", "ixgbe: { bind: nic0.vf0 }"],
    } }).replace("web:\n", "web:\n        uplinks: { tcpip: [ixgbe, vif], active: vif }\n");
    const web = at(at(parsed(text).hosts, 0).domains, 1);
    assert.deepEqual([web.uplinks, web.activeUplink], [["server/web/ixgbe", "server/web/vif"], "server/web/vif"]);
  });

  it("follows aliases and merge keys, with the ranges of what they lead to", () => {
    const text = [
      "exoscope: 1", "x-vm: &vm { kind: vm, vcpus: 3 }", "hosts:", "  server:", "    cpu: { cores: 4 }", "    hypervisor: {}", "    domains:",
      "      a: { <<: *vm, vcpus: 2, components: &work [compute] }", "      b: { <<: *vm, components: *work }", "",
    ].join("\n");
    const [a, b] = at(parsed(text).hosts, 0).domains;
    assert.deepEqual([a?.vcpus, b?.vcpus], [2, 3]);
    assert.equal(b?.components[0]?.path, "server/b/compute");
    assert.equal(slice(text, at(b?.components ?? [], 0).range), "compute");
  });

  it("keeps what is right beside what is wrong", () => {
    const text = designText({ domains: { broken: ["tcpip: { ip: x", "- ]"], web: ["http-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } });
    const { design, problems } = parseDesign(text);
    assert.ok(problems.some(({ code }) => code === "syntax"));
    assert.equal(design?.hosts[0]?.cores, 4);
    assert.equal(design?.hosts[0]?.domains[0]?.path, "server/broken");
  });

  it("draws a part whose name is taken or bad under a name of its own", () => {
    const { design } = parseDesign("exoscope: 1\nhosts: { s: { hypervisor: {}, domains: { a.b: { components: [libc, libc] } } } }\n");
    assert.deepEqual(design?.hosts[0]?.domains[0]?.components.map(({ path }) => path), ["s/a-b/libc", "s/a-b/libc-2"]);
  });
});

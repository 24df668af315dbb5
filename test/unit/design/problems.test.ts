import assert from "node:assert/strict";
import { PROBLEM_CODES } from "../../../engine/design/problems";
import type { ProblemCode } from "../../../engine/design/problems";
import { parseDesign } from "../../../engine/design/parse";
import { applyEdits } from "../../../engine/design/edit";
import { designText, marked } from "../../support/designText";

const SERVER = ["netserver", "ixgbe: { bind: nic0.pf }"];
const web = (...rest: string[]) => ["http-server", "libc", "tcpip", ...rest];
const DIRECT = web("ixgbe: { bind: nic0.vf0 }");
const one = (components: readonly string[], rest = "") => designText({ domains: { web: components } }, rest);
/** A domain that can switch between a network server and a function of its own. */
const two = (rest = "", bind = "nic0.vf0", active = "vif") => designText({ domains: { netsrv: SERVER, web: web("vif: { channel: netsrv.netserver }", `ixgbe: { bind: ${bind} }`) } }, rest)
  .replace("      web:\n", `      web:\n        uplinks: { tcpip: [vif, ixgbe], active: ${active} }\n`);

const NETFRONT = "netfront: { channel: driver.netback }";
const BRIDGE = ["netback", "bridge", "ixgbe: { bind: nic0.pf }"];
/** A guest behind a driver domain. */
const driver = (components: readonly string[], guest = web(NETFRONT), rest = "") =>
  designText({ domains: { driver: components, web: guest } }, rest).replace("      driver:\n", "      driver:\n        kind: driver-domain\n");
/** A host with a kernel and processes on it: `name: [keys, components]`. */
const processes = (domains: Readonly<Record<string, readonly [string, readonly string[]]>>) => designText({ domains: { os: ["tcpip", "ixgbe: { bind: nic0.pf }"], ...Object.fromEntries(Object.entries(domains).map(([name, [, components]]) => [name, components])) }, hypervisor: null })
  .replace(/      ([a-z«»]+):\n        components:/g, (_, name: string) => `      ${name}:\n        ${domains[name]?.[0] ?? "kind: kernel"}\n        components:`);
const APP = ["http-server", "libc"];

/** A text for each code; the problem must be at the mark. `fix`: what its fix makes of the marked text, or of the whole file. */
const CASES: readonly { readonly code: ProblemCode; readonly text: string; readonly fix?: string | RegExp }[] = [
  { code: "syntax", text: "exoscope: 1\nhosts:\n«\t»server: {}\n" },
  { code: "syntax", text: "exoscope: 1\nhosts: { server: {\n«»" },
  { code: "not-text", text: "exoscope: 1\nname: a«\0»b\nhosts: {}\n" },
  { code: "too-large", text: `«»exoscope: 1\nname: ${"x".repeat(1 << 18)}` },
  { code: "too-deep", text: `exoscope: ${"[".repeat(64)}«[»` },
  { code: "alias-limit", text: `exoscope: 1\nx-a: &a {}\nhosts: { s: { <<: [${"*a, ".repeat(256)}«*a», *a, *a] } }\n` },
  { code: "unknown-alias", text: "exoscope: 1\nhosts: «*all»\n" },
  { code: "not-a-design", text: "«»", fix: /^exoscope: 1\n[^]*load-generator/ },
  { code: "not-a-design", text: "«# only a comment\n»", fix: /^# only a comment\nexoscope: 1\n/ },
  { code: "not-a-design", text: "«- a»\n" },
  { code: "not-a-design", text: "# first\n«»hosts: {}\n", fix: "# first\nexoscope: 1\nhosts: {}\n" },
  { code: "unsupported-version", text: "exoscope: «2»\nhosts: {}\n", fix: "1" },
  { code: "unknown-key", text: "exoscope: 1\n«hots»: {}\nhosts: {}\n" },
  { code: "unknown-key", text: "exoscope: 1\n«host»: {}\n", fix: "hosts" },
  { code: "unknown-key", text: one(web("ixgbe: { bind: nic0.vf0, «quues»: 4 }")) },
  { code: "duplicate-key", text: "exoscope: 1\nhosts: {}\n«hosts»: {}\n" },
  { code: "missing-key", text: "«exoscope: 1»\n" },
  { code: "missing-key", text: one(web("«ixgbe»")) },
  { code: "missing-value", text: "exoscope: 1\nhosts: {}\nrun: { «seed»: }\n" },
  { code: "missing-value", text: one(["libc", "tcpip"]).replace("components:", "«components»:").replace("- tcpip", "-") },
  { code: "wrong-type", text: "exoscope: 1\nhosts: «[]»\n" },
  { code: "wrong-type", text: "exoscope: 1\nhosts: {}\nworkloads: «{ http: {} }»\n" },
  { code: "wrong-type", text: "exoscope: 1\nhosts: { s: { iommu: «maybe» } }\n" },
  { code: "wrong-type", text: "exoscope: 1\nhosts: { s: { cpu: { cores: «many» } } }\n" },
  { code: "wrong-type", text: one(["ixgbe:\n            «bind»: nic0.pf"]) },
  { code: "bad-unit", text: "exoscope: 1\nhosts: {}\nrun: { until: «20» }\n" },
  { code: "bad-unit", text: "exoscope: 1\nhosts: {}\nrun: { until: «20MS» }\n", fix: "20ms" },
  { code: "bad-unit", text: "exoscope: 1\nhosts: { c: { model: load-generator, link: { to: s.nic, rate: «10gbps» } } }\n", fix: "10Gbps" },
  { code: "bad-name", text: "exoscope: 1\nhosts: { «my.host»: {} }\n" },
  { code: "bad-address", text: one(["http-server", "libc", "tcpip: { ip: «10.0.0.256» }", "ixgbe: { bind: nic0.vf0 }"]) },
  { code: "bad-file", text: one(["echo", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - open-loop: { from: client, to: web, arrivals: file, file: «/etc/arrivals» }\n") },
  { code: "missing-key", text: one(["echo", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - open-loop: { from: client, to: web, arrivals: «file» }\n") },
  { code: "out-of-range", text: "exoscope: 1\nhosts: { s: { cpu: { cores: «0» } } }\n" },
  { code: "out-of-range", text: "exoscope: 1\nhosts: {}\nrun: { until: «2e9s» }\n" },
  { code: "unknown-value", text: "exoscope: 1\nhosts: { s: { hypervisor: { scheduler: «credits» } } }\n", fix: "credit" },
  { code: "duplicate-name", text: "exoscope: 1\nhosts: { s: { hypervisor: {}, devices: { nic: { model: intel-82599 } }, domains: { «nic»: {} } } }\n" },
  { code: "duplicate-name", text: one([...DIRECT, "«libc»"]) },
  { code: "duplicate-name", text: one([...DIRECT, "libc: { id: «tcpip» }"]) },
  { code: "unknown-component", text: one(["http-server", "libc", "«tcp-ip»", "ixgbe: { bind: nic0.vf0 }"]), fix: "tcpip" },
  { code: "unknown-workload", text: one(DIRECT, "workloads:\n  - «htpt»: { from: client, to: web }\n"), fix: "http" },
  { code: "not-switchable", text: one(DIRECT, "switches:\n  - { at: 1ms, switch: «web», to: direct }\n") },
  { code: "not-switchable", text: one(DIRECT, "switches:\n  - { policy: vf-scarcity, among: [«web»] }\n") },
  { code: "unknown-reference", text: two("switches:\n  - { at: 1ms, switch: web, to: «dierct» }\n"), fix: "direct" },
  { code: "unknown-reference", text: two("switches:\n  - { policy: vf-scarcity, among: [web, «wbe»] }\n"), fix: "web" },
  { code: "unknown-value", text: two("switches:\n  - { policy: «laod», switch: web, above: 1Gbps, below: 1Mbps }\n"), fix: "load" },
  { code: "out-of-range", text: two("switches:\n  - { policy: load, switch: web, above: 1Gbps, below: «2Gbps» }\n") },
  { code: "wrong-type", text: two("switches:\n  - { policy: vf-scarcity, among: «web» }\n") },
  { code: "missing-key", text: two("switches:\n  - «{ switch: web, to: direct }»\n") },
  { code: "function-unassigned", text: one(web("ixgbe: { bind: «nic0» }")) },
  { code: "function-unassigned", text: two("", "nic0", "ixgbe").replace("uplinks: {", "uplinks: «{").replace("active: ixgbe }", "active: ixgbe }»") },
  { code: "missing-component", text: one(DIRECT, "faults:\n  - { at: 1ms, forge: «web», what: index }\n") },
  { code: "missing-component", text: one(DIRECT, "faults:\n  - { at: 1ms, forge: «web», what: portmap }\n") },
  { code: "missing-key", text: one(DIRECT, "faults:\n  - «{ at: 1ms, forge: web }»\n") },
  { code: "unknown-fault", text: one(DIRECT, "faults:\n  - «{ at: 1ms, melt: web }»\n") },
  { code: "unknown-reference", text: one(web("vif: { channel: «netsrv.netserver» }")) },
  { code: "unknown-reference", text: one(web("ixgbe: { bind: «nic.vf0» }")), fix: "nic0.vf0" },
  { code: "unknown-reference", text: one(DIRECT, "workloads:\n  - http: { from: client, to: «wbe» }\n"), fix: "web" },
  { code: "unknown-reference", text: one(DIRECT, "workloads:\n  - http: { from: «clint», to: web }\n"), fix: "client" },
  { code: "unknown-reference", text: one(DIRECT, "faults:\n  - { at: 1ms, crash: «databse» }\n") },
  { code: "unknown-reference", text: one(DIRECT, "faults:\n  - { at: 1ms, degrade: «client.lnk», loss: 5% }\n") },
  { code: "missing-key", text: one(DIRECT, "faults:\n  - { at: 1ms, «degrade»: client.link, for: 5ms }\n") },
  { code: "unknown-reference", text: one(DIRECT).replace("server.nic0 }", "«server.nic7» }"), fix: "server.nic0" },
  { code: "unknown-reference", text: one(DIRECT).replace("        components", "        uplinks: { active: «vif» }\n        components"), fix: "ixgbe" },
  { code: "ambiguous-reference", text: `${one(DIRECT)}  other: { hypervisor: {}, domains: { web: {} } }\nworkloads:\n  - http: { from: client, to: «web» }\n` },
  { code: "wrong-reference", text: one(web("ixgbe: { bind: «web» }")) },
  { code: "wrong-reference", text: one([...DIRECT, "vif: { channel: netsrv.netserver }"]).replace("        components", "        uplinks: { tcpip: [ixgbe], active: «vif» }\n        components") },
  { code: "other-host", text: `${one(web("ixgbe: { bind: «other.nic0.pf» }"))}  other: { devices: { nic0: { model: intel-82599 } } }\n` },
  { code: "vf-missing", text: one(web("ixgbe: { bind: «nic0.vf7» }")), fix: /vfs: 8 \}/ },
  { code: "too-many-vfs", text: one(DIRECT).replace("vfs: 2", "vfs: «64»"), fix: "63" },
  { code: "function-taken", text: designText({ domains: { a: DIRECT, b: web("ixgbe: { bind: «nic0.vf0» }") } }), fix: "nic0.vf1" },
  { code: "wrong-reference", text: one(DIRECT, "workloads:\n  - http: { from: «web», to: web }\n") },
  { code: "no-effect", text: one(["«load-generator»", ...DIRECT]) },
  { code: "unreachable", text: designText({ domains: { netsrv: SERVER, a: ["load-generator", "libc", "tcpip", "vif: { channel: netsrv.netserver }"], b: web("vif: { channel: netsrv.netserver }") } }, "workloads:\n  - http: { from: a, to: «b» }\n") },
  { code: "unreachable", text: designText({ domains: { a: ["load-generator", "libc", "tcpip", "ixgbe: { bind: nic1.pf }"], b: DIRECT } }, "workloads:\n  - http: { from: a, to: «b» }\n").replace("    hypervisor:", "      nic1: { model: intel-82599 }\n    hypervisor:") },
  { code: "unreachable", text: designText({ domains: { a: ["load-generator", "libc", "tcpip", "ixgbe: { bind: nic0.vf1 }"], b: DIRECT } }, "workloads:\n  - http: { from: a, to: «b» }\n").replace("vfs: 2 }", "vfs: 2, policies: { vf0: { vlan: 10 } } }") },
  { code: "vf-missing", text: one(DIRECT).replace("vfs: 2 }", "vfs: 2, policies: { «vf2»: { vlan: 10 } } }") },
  { code: "vf-refuses", text: one(web('ixgbe: { bind: nic0.vf0, mac: «02:00:00:00:01:00» }')) },
  { code: "vf-refuses", text: one(web("ixgbe: { bind: nic0.vf0, vlan: «20» }")).replace("vfs: 2 }", "vfs: 2, policies: { vf0: { vlan: 10 } } }") },
  { code: "bad-address", text: one(web("ixgbe: { bind: nic0.vf0, mac: «01:00:5e:00:00:01» }")) },
  { code: "bad-address", text: one(web("ixgbe: { bind: nic0.vf0, mac: «02:00:00:00:01» }")) },
  { code: "no-effect", text: one(web("ixgbe: { bind: nic0.pf }")).replace("vfs: 2 }", "vfs: 0, ari: «off» }") },
  { code: "unreachable", text: one(DIRECT, "workloads:\n  - http: { from: client, to: «web» }\n").replace("vfs: 2 }", "vfs: 2, policies: { vf0: { vlan: 10 } } }") },
  { code: "unreachable", text: one(DIRECT, "workloads:\n  - http: { from: client, to: «web» }\n").replace("load-generator, ", "load-generator, vlan: 10, ") },
  { code: "missing-component", text: designText({ domains: { netsrv: SERVER, web: web("vif: { channel: netsrv.netserver }") } }, "faults:\n  - { at: 1ms, forge: «web», what: vlan }\n") },
  { code: "wrong-driver", text: one(web("«igb»: { bind: nic0.vf0 }")), fix: "ixgbe" },
  { code: "wrong-driver", text: one(web("«ixgbe»: { bind: nic0.vf0 }")).replace("intel-82599", "intel-82576"), fix: "igb" },
  { code: "wrong-driver", text: one(web("igb: { bind: «nic0.vf0» }")).replace("intel-82599", "intel-82576") },
  { code: "too-many-vfs", text: one(DIRECT).replace("intel-82599, sriov: { vfs: 2", "intel-82576, sriov: { vfs: «8»"), fix: "7" },
  { code: "link-rate", text: one(DIRECT).replace("to: server.nic0 }", "to: server.nic0, rate: «100Gbps» }"), fix: "10Gbps" },
  { code: "link-rate", text: one(DIRECT).replace("intel-82599", "intel-82576").replace("to: server.nic0 }", "to: server.nic0, rate: «10Gbps» }"), fix: "1Gbps" },
  { code: "direct-without-iommu", text: designText({ domains: { web: web("ixgbe: { bind: «nic0.vf0» }") }, iommu: "off" }), fix: /iommu: on\n/ },
  { code: "direct-without-iommu", text: one(web("ixgbe: { bind: «nic0.vf0» }")).replace("    iommu: on\n", ""), fix: /^  server:\n    iommu: on\n    cpu/m },
  { code: "vm-without-hypervisor", text: designText({ domains: { "«web»": DIRECT }, hypervisor: null }) },
  { code: "not-a-server", text: designText({ domains: { netsrv: SERVER, web: web("vif: { channel: «netsrv.ixgbe» }") } }) },
  { code: "not-a-server", text: designText({ domains: { netsrv: SERVER, web: web("vif: { channel: «netsrv» }") } }), fix: "netsrv.netserver" },
  { code: "server-full", text: designText({ domains: { netsrv: ["netserver: { applications: 1 }", "ixgbe: { bind: nic0.pf }"], a: web("vif: { channel: netsrv.netserver }"), b: ["libc", "tcpip", "vif: { channel: «netsrv.netserver» }"] } }) },
  { code: "server-without-driver", text: one(["«netserver»"]) },
  { code: "channel-loop", text: one(["netserver", "ixgbe: { bind: nic0.pf }", "vif: { channel: «web.netserver» }"]) },
  { code: "port-taken", text: designText({ domains: { netsrv: SERVER, a: web("vif: { channel: netsrv.netserver }"), b: ["http-server: { port: «80» }", "libc", "tcpip", "vif: { channel: netsrv.netserver }"] } }), fix: "81" },
  { code: "port-taken", text: one(["http-server", "key-value-store: { port: «80» }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"]), fix: "81" },
  { code: "address-taken", text: designText({ domains: { a: ["tcpip: { ip: 10.0.0.9 }", "ixgbe: { bind: nic0.vf0 }"], b: ["tcpip: { ip: «10.0.0.9» }", "ixgbe: { bind: nic0.vf1 }"] } }) },
  { code: "address-taken", text: driver(["netback", "nat: { ip: 10.0.0.9 }", "ixgbe: { bind: nic0.pf }"], ["tcpip: { ip: «10.0.0.9» }", NETFRONT]) },
  { code: "address-taken", text: two().replace("- netserver", "- netserver: { ip: 10.0.0.100 }").replace("- tcpip", "- tcpip: { ip: «10.0.0.100» }") },
  { code: "address-taken", text: designText({ domains: { netsrv: ["netserver: { ip: 10.0.0.100 }", "ixgbe: { bind: nic0.pf }"], web: web("vif: { channel: netsrv.netserver }"), own: ["tcpip: { ip: «10.0.0.101» }", "ixgbe: { bind: nic0.vf0 }"] } }) },
  { code: "pool-exhausted", text: two().replace("- netserver", "- netserver: { ip: 10.0.0.100, pool: «0» }") },
  { code: "not-a-driver-domain", text: driver(BRIDGE).replace("kind: driver-domain", "kind: «kernel»"), fix: "driver-domain" },
  { code: "not-a-driver-domain", text: driver(BRIDGE).replace("driver:\n        kind: driver-domain\n", "«driver»:\n") },
  { code: "netback-without-switch", text: driver(["«netback»", "ixgbe: { bind: nic0.pf }"]) },
  { code: "netback-without-switch", text: driver(["bridge", "«netback»", "ixgbe: { bind: nic0.pf }"]) },
  { code: "missing-component", text: driver(["netback", "«bridge»"]) },
  { code: "missing-component", text: driver(["netback", "ixgbe: { bind: nic0.pf }", "«bridge»"]) },
  { code: "not-a-guest", text: driver(BRIDGE).replace("      web:\n", "      web:\n        kind: «kernel»\n") },
  { code: "driver-shared", text: driver(["«tcpip»", "netback", "bridge", "ixgbe: { bind: nic0.pf }"]) },
  { code: "driver-shared", text: driver(["netback", "bridge", "«nat»", "ixgbe: { bind: nic0.pf }"]) },
  { code: "bridge-on-vf", text: driver(["netback", "bridge", "ixgbe: { bind: «nic0.vf0» }"]) },
  { code: "grant-table-full", text: designText({ domains: { netsrv: SERVER, web: web("vif: { channel: netsrv.netserver }", "«vif»: { channel: netsrv.netserver, id: second }") } }) },
  { code: "not-forwarded", text: driver(["netback", "nat: { forward: [8080] }", "ixgbe: { bind: nic0.pf }"], web(NETFRONT), "workloads:\n  - http: { from: client, to: «web» }\n") },
  { code: "not-a-server", text: driver(BRIDGE, web("netfront: { channel: «driver» }")), fix: "driver.netback" },
  { code: "not-a-server", text: driver(BRIDGE, web("netfront: { channel: «driver.bridge» }")) },
  { code: "missing-component", text: one(["«http-server»", "tcpip", "ixgbe: { bind: nic0.vf0 }"]) },
  { code: "no-uplink", text: one(["http-server", "libc", "«tcpip»"]) },
  { code: "missing-component", text: designText({ domains: { web: DIRECT, lone: ["«libc»"] } }) },
  { code: "missing-component", text: one(["«ixgbe»: { bind: nic0.vf0 }"]) },
  { code: "missing-component", text: designText({ domains: { netsrv: SERVER, web: ["«vif»: { channel: netsrv.netserver }"] } }) },
  { code: "uplink-unclear", text: designText({ domains: { netsrv: SERVER, web: web("vif: { channel: netsrv.netserver }", "«ixgbe»: { bind: nic0.vf0 }") } }) },
  { code: "overcommitted", text: one(DIRECT).replace("        components", "        vcpus: «5»\n        components") },
  { code: "too-few-cores", text: designText({ domains: { a: ["compute"], "«b»": ["compute"] }, hypervisor: "{ scheduler: pinned }" }).replace("cores: 4", "cores: 1") },
  { code: "too-few-cores", text: one(DIRECT).replace("    hypervisor: { model: xen }\n", "").replace("        components", "        kind: kernel\n        vcpus: «5»\n        components") },
  { code: "bad-affinity", text: one(DIRECT).replace("        components", "        affinity: «[0, 4]»\n        components") },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: 1ms, ratelimit: «2ms» }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: «999us», ratelimit: 0 }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: «1.5ms» }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ ratelimit: «99us» }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ ratelimit: «100.5us» }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: «1us», ratelimit: 0 }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: 1s, ratelimit: «501ms» }" }) },
  { code: "scheduler-limits", text: designText({ domains: { web: DIRECT }, hypervisor: "{ scheduler: round-robin, timeslice: «99us» }" }) },
  { code: "numa-nodes", text: one(DIRECT).replace("cores: 4", "cores: 4, numa: «3»") },
  { code: "unused-vcpus", text: one(DIRECT).replace("        components", "        vcpus: 2\n        scheduler: «n-1»\n        components") },
  { code: "bad-node", text: one(DIRECT).replace("        components", "        memory-node: «1»\n        components") },
  { code: "bad-node", text: one(DIRECT).replace("{ model: intel-82599", "{ model: intel-82599, node: «2»") },
  { code: "no-link", text: one(DIRECT).replace("client: { model: load-generator, link: { to: server.nic0 } }", "«client»: { model: load-generator }") },
  { code: "link-taken", text: `${one(DIRECT)}  client2: { model: load-generator, link: { to: «server.nic0» } }\n` },
  { code: "workload-without-server", text: one(DIRECT, "workloads:\n  - key-value: { from: client, to: «web» }\n") },
  { code: "workload-without-server", text: one(DIRECT, "workloads:\n  - http: { from: client, to: «web.tcpip» }\n") },
  { code: "server-unclear", text: one(["http-server: { id: b, port: 81 }", ...DIRECT], "workloads:\n  - http: { from: client, to: «web» }\n") },
  { code: "out-of-range", text: one(["key-value-store", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - key-value: { from: client, to: web, sets: «0», gets: 0 }\n") },
  { code: "out-of-range", text: one(["netpipe-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - netpipe: { from: client, to: web, smallest: «64KiB», largest: 64B }\n") },
  { code: "out-of-range", text: one(["netpipe-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - netpipe: { from: client, to: web, largest: «32B» }\n") },
  { code: "beyond-mtu", text: one(["discard: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - udp-stream: { from: client, to: web, size: «1473B» }\n"), fix: "1472B" },
  { code: "beyond-mtu", text: one(["tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - ping: { from: client, to: web, size: «3KB» }\n"), fix: "1472B" },
  { code: "beyond-mtu", text: one(["echo: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - open-loop: { from: client, to: web, arrivals: listed, list: «[[0, 512B], [10us, 1473B]]» }\n") },
  { code: "beyond-mtu", text: driver(BRIDGE, ["echo: { protocol: udp }", "libc", "tcpip", NETFRONT], "workloads:\n  - open-loop: { from: client, to: web, size: «8KB» }\n").replace("intel-82599", "intel-82599, mtu: 9000"), fix: "1472B" },
  { code: "beyond-mtu", text: one(["discard: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], "workloads:\n  - «udp-stream»: { from: client, to: web }\n").replace("intel-82599", "intel-82599, mtu: 576") },
  { code: "before-workloads", text: one(DIRECT, "workloads:\n  - http: { from: client, to: web }\nrun: { until: «10ms» }\n") },
  { code: "before-workloads", text: one(DIRECT, "workloads:\n  - http: { from: client, to: web }\nfaults:\n  - { at: «5ms», crash: web, restart: 1ms }\n") },
  { code: "before-workloads", text: one(DIRECT, "workloads:\n  - http: { from: client, to: web }\nfaults:\n  - { at: «5ms», degrade: client.link, loss: 5%, for: 5ms }\n") },
  { code: "before-workloads", text: two("workloads:\n  - http: { from: client, to: web }\nswitches:\n  - { at: «9ms», switch: web, to: direct }\n") },
  { code: "no-effect", text: one(web("ixgbe: { bind: nic0.pf, queues: «3» }")).replace("        components", "        vcpus: 3\n        components"), fix: "2" },
  { code: "no-effect", text: one(DIRECT).replace("load-generator, ", "load-generator, cpu: { cores: 2 }, queues: «4», "), fix: "2" },
  { code: "not-simulated", text: one(DIRECT).replace("        components", "        kind: «enclave»\n        components") },
  { code: "missing-key", text: one(DIRECT, "faults:\n  - { at: 1ms, hang: web, restart: «1ms» }\n") },
  { code: "missing-component", text: processes({ web: ["kind: process", ["«http-server»"]] }) },
  { code: "process-without-kernel", text: one(DIRECT).replace("        components", "        kind: «process»\n        components") },
  { code: "process-without-kernel", text: processes({ micro: ["kind: kernel", []], web: ["kind: «process»", APP] }) },
  { code: "wrong-reference", text: processes({ web: ["{ kind: process, kernel: «net» }".slice(2, -2).replace(", ", "\n        "), APP], net: ["kind: process", ["compute"]] }) },
  { code: "wrong-reference", text: processes({ web: ["kind: process", ["http-server", "libc: { stack: «os.ixgbe» }"]] }) },
  { code: "wrong-reference", text: processes({ web: ["kind: process", [...APP, "tcpip: { driver: «os.tcpip» }"]] }) },
  { code: "cannot-call", text: designText({ domains: { netsrv: ["netserver", "ixgbe: { bind: nic0.pf }"], web: ["http-server", "libc", "tcpip", "«vif»: { channel: netsrv.netserver }"] } }).replace("      web:\n", "      os: { kind: kernel }\n      web:\n        kind: process\n") },
  { code: "cannot-call", text: designText({ domains: { net: web("ixgbe: { bind: nic0.vf0 }"), web: ["http-server: { port: 81 }", "libc: { stack: «net.tcpip» }"] } }) },
  { code: "no-effect", text: processes({ web: ["kind: process\n        vcpus: «2»", APP] }) },
  { code: "no-effect", text: processes({ web: ["kind: process\n        net-mpsafe: «on»", APP] }) },
  { code: "no-effect", text: one(DIRECT).replace("        components", "        kernel: «web»\n        components") },
  { code: "no-effect", text: designText({ domains: { web: DIRECT }, hypervisor: "{ scheduler: pinned, timeslice: «10ms» }" }) },
  { code: "no-effect", text: designText({ domains: { web: DIRECT }, hypervisor: "{ scheduler: round-robin, ratelimit: «2ms», timeslice: 1ms }" }) },
  { code: "no-effect", text: designText({ domains: { web: DIRECT }, hypervisor: "{ scheduler: pinned }" }).replace("        components", "        weight: «512»\n        components") },
  { code: "no-effect", text: designText({ domains: { web: DIRECT }, hypervisor: "{ scheduler: round-robin }" }).replace("        components", "        cap: «10»\n        components") },
  { code: "no-effect", text: processes({ web: ["kind: kernel\n        weight: «512»", APP] }) },
  { code: "no-effect", text: processes({ web: ["kind: kernel\n        idle: «spin»", APP] }) },
  { code: "unreachable", text: two("switches:\n  - { at: 1ms, switch: web, to: direct }\nworkloads:\n  - http: { from: client, to: web }\n", "«nic1.pf»").replace("    hypervisor:", "      nic1: { model: intel-82599 }\n    hypervisor:") },
  { code: "unreachable", text: two("switches:\n  - { policy: load, switch: web, above: 1Gbps, below: 1Mbps }\nworkloads:\n  - http: { from: other, to: web }\n", "nic1.pf", "ixgbe").replace("netsrv.netserver", "«netsrv.netserver»").replace("    hypervisor:", "      nic1: { model: intel-82599 }\n    hypervisor:").replace("  client: ", "  other: { model: load-generator, link: { to: server.nic1 } }\n  client: ") },
  { code: "no-effect", text: one(["http-server", "libc", "tcpip: { probes: «3» }", "ixgbe: { bind: nic0.vf0 }"]) },
  { code: "no-effect", text: designText({ domains: { netsrv: ["netserver: { probes: «3» }", "ixgbe: { bind: nic0.pf }"], web: web("vif: { channel: netsrv.netserver }") } }) },
  { code: "port-taken", text: processes({ web: ["kind: process", APP], api: ["kind: process", ["http-server: { port: «80» }", "libc"]] }) },
  { code: "unreachable", text: `${one(DIRECT)}  other: { devices: { nic0: { model: intel-82599 } } }\nworkloads:\n  - http: { from: client, to: «web» }\n`.replace("server.nic0 }", "other.nic0 }") },
];

describe("design problems", () => {
  for (const { code, text: markedText, fix } of CASES) {
    const { text, range } = marked(markedText);
    const name = markedText.length < 200 ? JSON.stringify(markedText) : JSON.stringify(markedText.slice(Math.max(0, markedText.indexOf("«") - 40), markedText.indexOf("»") + 20));
    it(`${code} at ${name}`, () => {
      const { problems } = parseDesign(text);
      const here = problems.find((p) => p.code === code && p.range.start === range.start && p.range.end === range.end);
      assert.ok(here, `found: ${JSON.stringify(problems.map((p) => [p.code, p.range, text.slice(p.range.start, p.range.end), p.message]), null, 1)}\nwanted at ${JSON.stringify(range)}`);
      assert.match(here.message, /^[^]{10,}[.?]$/, "a plain sentence");
      if (fix === undefined) return;
      assert.ok(here.fix, "has a fix");
      const fixed = applyEdits(text, here.fix.edits);
      if (fix instanceof RegExp) assert.match(fixed, fix);
      else if (range.start < range.end) assert.equal(fixed, text.slice(0, range.start) + fix + text.slice(range.end));
      else assert.equal(fixed, fix);
      const left = parseDesign(fixed).problems;
      assert.ok(!left.some((p) => p.code === code && p.message === here.message), "the fix solves it");
    });
  }

  it("too-many-problems after the last that is listed", () => {
    const { problems } = parseDesign(`exoscope: 1\nhosts: {}\n${Array.from({ length: 300 }, (_, i) => `zz${i}: 1`).join("\n")}`);
    assert.equal(problems.length, 201);
    assert.equal(problems.at(-1)?.code, "too-many-problems");
  });

  it("covers every code that a parse can report", () => {
    const tested = new Set<string>([...CASES.map(({ code }) => code), "too-many-problems"]);
    const refusals = ["no-free-vf", "not-editable"];
    assert.deepEqual(PROBLEM_CODES.filter((code) => !tested.has(code) && !refusals.includes(code)), []);
  });

  it("names what would do where a reference leads to something else, and the value to set where one is too large", () => {
    const said = (text: string, code: ProblemCode): string[] => parseDesign(text).problems.filter((p) => p.code === code).map(({ message }) => message);
    const generators = one(DIRECT, "workloads:\n  - http: { from: server.nic0, to: web }\n");
    assert.deepEqual(said(generators, "wrong-reference"), ["“server.nic0” is a device. This must be a load generator, or a domain with one in it: client."]);
    const many = generators.replace("workloads:", `${Array.from({ length: 6 }, (_, i) => `  c${i}: { model: load-generator, link: { to: server.nic0 } }\n`).join("")}workloads:`);
    assert.deepEqual(said(many, "wrong-reference"), ["“server.nic0” is a device. This must be a load generator, or a domain with one in it: client, c0, c1, c2, c3 or one of 2 others."]);
    assert.deepEqual(said(one(web("ixgbe: { bind: web }")), "wrong-reference"), ["“web” is a domain. This must be a PCI function or a device: nic0, nic0.pf, nic0.vf0 or nic0.vf1."]);
    assert.deepEqual(said(processes({ web: ["kind: process", [...APP, "tcpip: { driver: os.tcpip }"]] }), "wrong-reference"), ["server/os/tcpip is a component of the type tcpip. This must be a device driver: os.ixgbe."]);
    assert.deepEqual(said(processes({ web: ["kind: process\n        kernel: net", APP], net: ["kind: process", ["compute"]] }), "wrong-reference"), ["server/net is a domain of another kind. This must be a kernel: os."]);
    assert.deepEqual(said(one(web("vif: { channel: web.libc }")), "not-a-server"), ["“web.libc” is not a network server, so there is nothing at the other end of the channel. This must be a network server, such as netsrv.netserver, and server has none. Add one."]);
    assert.deepEqual(said(one(DIRECT).replace("vfs: 2", "vfs: 64"), "too-many-vfs"), ["The Intel 82599 (X520) has at most 63 VFs beside its PF. Set “vfs” to 63 or less."]);
  });

  it("names the part of an overlong name that it goes by, however much a quote that does not end takes into it", () => {
    const { design, problems } = parseDesign(`exoscope: 1\nhosts: { "${"any text. ".repeat(100)}": { domains: { web: { kind: vm } } } }\n`);
    const path = "any-text--".repeat(7).slice(0, 64);
    assert.deepEqual(design?.hosts.map((host) => host.path), [path]);
    assert.deepEqual(problems.map(({ code }) => code).slice(0, 2), ["bad-name", "vm-without-hypervisor"]);
    assert.match(problems[1]!.message, new RegExp(`^${path}/web is a virtual machine, but ${path} has no hypervisor`));
  });

  it("says nothing where a guest asks its neighbour behind the same bridge or router, whatever that forwards", () => {
    for (const below of ["bridge", "nat", "nat: { forward: [8080] }"]) {
      const text = driver(["netback", below, "ixgbe: { bind: nic0.pf }"], web(NETFRONT), "workloads:\n  - http: { from: asker, to: web }\n").replace("      web:\n", `      asker:\n        components: [load-generator, libc, tcpip, ${NETFRONT}]\n      web:\n`);
      assert.deepEqual(parseDesign(text).problems.map(({ message }) => message), [], below);
    }
  });

  it("says nothing about keys that the scheduler reads, nor of limits that it does not", () => {
    const all = designText({ domains: { web: DIRECT }, hypervisor: "{ timeslice: 10ms, ratelimit: 2ms }" }).replace("        components", "        weight: 512\n        cap: 50\n        idle: spin\n        components");
    assert.deepEqual(parseDesign(all).problems.map(({ message }) => message), []);
    for (const fine of ["scheduler: round-robin, timeslice: 500us", "scheduler: round-robin, timeslice: 100us", "timeslice: 1ms, ratelimit: 1ms", "timeslice: 1ms, ratelimit: 100us", "timeslice: 1s, ratelimit: 500ms", "ratelimit: 0"]) {
      assert.deepEqual(parseDesign(designText({ domains: { web: DIRECT }, hypervisor: `{ ${fine} }` })).problems.map(({ message }) => message), [], fine);
    }
  });

  it("says which MTU a datagram does not fit, and how much does; nothing of one that fits, of TCP, nor of sizes that are not used", () => {
    const udp = (workload: string, protocol = "udp"): string => one([`echo: { protocol: ${protocol} }`, "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"], `workloads:\n  - ${workload}\n`);
    const said = (text: string): string[] => parseDesign(text).problems.map(({ message }) => message);
    const open = (rest: string): string => `open-loop: { from: client, to: web, ${rest} }`;
    assert.deepEqual(said(udp(open("size: 3000B"))), ["A datagram with 3000 B does not fit: the MTU from client to server/web is 1500 B, of which IPv4 and UDP take 28, and the simulation has no IP fragments. Make “size” 1472B at most, or raise the “mtu” of the device."]);
    for (const fine of [udp(open("size: 1472B")), udp(open("size: 3000B"), "tcp"), udp(open("size: 3000B, arrivals: listed, list: [[0, 1472B]]")), udp(open("size: 3000B")).replace("intel-82599", "intel-82599, mtu: 9000"), udp("ping: { from: client, to: web, size: 1472B }")]) assert.deepEqual(said(fine), []);
  });

  it("says how many queue pairs a driver gets, and why, where they are fewer than it is said to", () => {
    const said = (bind: string, vfs: number, vcpus: number, model = "intel-82599"): string[] => {
      const text = one(web(`${model === "intel-82576" ? "igb" : "ixgbe"}: { bind: ${bind} }`)).replace("{ cores: 4 }", "{ cores: 16 }").replace("vfs: 2", `vfs: ${vfs}`).replace("intel-82599", model);
      return parseDesign(text.replace("        components", `        system: linux\n        vcpus: ${vcpus}\n        components`)).problems.map(({ message }) => message);
    };
    assert.deepEqual(said("nic0.pf, queues: 3", 0, 3), [], "without pools, any number");
    assert.deepEqual(said("nic0.pf, queues: 4", 2, 4), []);
    assert.deepEqual(said("nic0.pf, queues: 3", 2, 3), ["server/web/ixgbe gets 2 queue pairs: the queues of server/nic0 are divided into 32 pools, in each of which RSS spreads over 4: it is a power of two. Set “queues: 2”."]);
    assert.deepEqual(said("nic0.vf0, queues: 4", 2, 4), ["server/web/ixgbe gets 2 queue pairs: the queues of server/nic0 are divided into 32 pools, in each of which RSS spreads over 4, and a VF has 3 vectors: it is a power of two. Set “queues: 2”."]);
    assert.deepEqual(said("nic0.pf, queues: 3", 0, 2), ["server/web/ixgbe gets 2 queue pairs: server/web has 2 vCPUs, and each queue pair has one of its own. Set “queues: 2”."]);
    assert.deepEqual(said("nic0.pf, queues: 9", 0, 9, "intel-82576"), ["server/web/igb gets 8 queue pairs: RSS of server/nic0 spreads over 8 at most. Set “queues: 8”."]);
  });

  it("says when workloads begin that something comes before: later with many channels; nothing without workloads, nor of what lasts", () => {
    const said = (text: string): string[] => parseDesign(text).problems.map(({ message }) => message);
    const workload = "workloads:\n  - http: { from: client, to: web }\n";
    const fault = (what: string): string => one(DIRECT, `${workload}faults:\n  - { ${what} }\n`);
    assert.deepEqual(said(one(DIRECT, `${workload}run: { until: 10ms }\n`)), ["Workloads begin at 10ms, when the machine is up and its channels are connected: the run is over before the first request. Set “until” to more than 10ms."]);
    assert.deepEqual(said(fault("at: 5ms, crash: web")), ["Workloads begin at 10ms, when the machine is up and its channels are connected: this strikes before there is any traffic. Set “at” to 10ms or later."]);
    for (const fine of [one(DIRECT, "run: { until: 1ms }\n"), one(DIRECT, `${workload}run: { until: 11ms }\n`), fault("at: 10ms, crash: web"), fault("at: 0s, degrade: client.link, loss: 5%"), fault("at: 5ms, degrade: client.link, loss: 5%, for: 6ms")]) assert.deepEqual(said(fine), []);
    const guests = Object.fromEntries(["web", ...Array.from({ length: 15 }, (_, i) => `g${i}`)].map((name) => [name, ["http-server".concat(name === "web" ? "" : `: { port: 8${name.slice(1).padStart(3, "0")} }`), "libc", "tcpip", "vif: { channel: netsrv.netserver }"]]));
    assert.match(said(designText({ domains: { netsrv: ["netserver: { applications: 16 }", "ixgbe: { bind: nic0.pf }"], ...guests } }, `${workload}run: { until: 20ms }\n`)).join(), /^Workloads begin at 20ms,/);
  });

  it("says nothing about keys that start with x-", () => {
    assert.deepEqual(parseDesign("exoscope: 1\nx-notes: { any: thing }\nhosts: {}\n").problems, []);
  });
});

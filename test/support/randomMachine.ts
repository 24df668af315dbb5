import fc from "fast-check";

/** Random machines with workloads: any placement that the file format allows, under any scheduler, with and without loss. */
export interface RandomMachine {
  readonly text: string;
  /** Share of the frames that does not arrive as it was sent. */
  readonly loss: number;
  /** Domains die or hang. */
  readonly crashes: boolean;
  /** Whether an application misbehaves so that it cuts itself off. */
  readonly selfHarm: boolean;
}

const domain = fc.record({
  server: fc.constantFrom("http-server", "key-value-store", "memcached"),
  /** How its frames go; the last three can be switched between server and a function: the domain's own, or any that is free. */
  way: fc.constantFrom("direct", "server", "split", "switch from server", "switch from direct", "switch to any"),
  queues: fc.constantFrom(1, 1, 2),
  offloads: fc.constantFrom("", "", ", tso: on", ", lro: on", ", tso: on, lro: on"),
  vcpus: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 1, max: 4 }),
  weight: fc.constantFrom(64, 256, 1024),
  cap: fc.constantFrom(0, 0, 0, 60, 150),
  idle: fc.constantFrom("halt", "spin"),
  threads: fc.constantFrom("m-n", "m-n", "n-1", "preemptive", "run-to-completion"),
  lock: fc.constantFrom("", "", ", threads: 3, lock: 30us"),
  affine: fc.boolean(),
  compute: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 12 }),
  requests: fc.integer({ min: 1, max: 60 }),
  pipeline: fc.constantFrom(1, 2, 16),
  /** Of its clients; 0: as many as their host has CPUs. */
  clientThreads: fc.constantFrom(0, 0, 1, 3),
  size: fc.constantFrom("1B", "100B", "1448B", "8KiB", "100KiB"),
  keepalive: fc.boolean(),
});

/** A kernel with processes on it: where the boundaries are between application, stack and driver. */
const cut = fc.record({
  cut: fc.constantFrom("monolithic", "multiserver", "one server", "kernel driver", "user driver"),
  system: fc.constantFrom("linux", "netbsd", "minix"),
  vcpus: fc.integer({ min: 1, max: 3 }),
  applications: fc.integer({ min: 1, max: 2 }),
  workers: fc.integer({ min: 1, max: 3 }),
  compute: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 8 }),
  requests: fc.integer({ min: 1, max: 40 }),
  size: fc.constantFrom("1B", "1448B", "8KiB", "100KiB"),
  keepalive: fc.boolean(),
});

type Cut = typeof cut extends fc.Arbitrary<infer T> ? T : never;

const block = (name: string, keys: readonly string[], components: readonly string[]): string[] => [
  `      ${name}:`, ...keys.map((key) => `        ${key}`), ...(components.length > 0 ? ["        components:", ...components.map((c) => `          - ${c}`)] : []),
];

/** Domains of a kernel with its processes, on a function of its own, and what asks them. */
function processesOf(c: Cut, bind: string): { domains: string[]; workloads: string[] } {
  const driver = `ixgbe: { bind: ${bind} }`;
  const process = (name: string, components: readonly string[]): string[] => block(name, ["kind: process"], components);
  const inKernel = { monolithic: ["tcpip", driver], multiserver: [], "one server": [], "kernel driver": [driver], "user driver": ["tcpip: { driver: drv.ixgbe }"] }[c.cut];
  const servers = {
    monolithic: [], "kernel driver": [],
    multiserver: [...process("net", ["tcpip: { driver: drv.ixgbe }"]), ...process("drv", [driver])],
    "one server": process("net", ["tcpip", driver]),
    "user driver": process("drv", [driver]),
  }[c.cut];
  const libc = c.cut === "multiserver" || c.cut === "one server" ? "libc: { stack: net.tcpip }" : "libc";
  const names = Array.from({ length: c.applications }, (_, i) => `p${i}`);
  return {
    domains: [
      ...names.flatMap((name, i) => process(name, [`http-server: { port: ${8000 + i}, workers: ${c.workers} }`, ...(c.compute ? ["compute: { burst: 100us }"] : []), libc, ...(c.cut === "kernel driver" ? ["tcpip"] : [])])),
      ...servers, ...block("os", ["kind: kernel", `system: ${c.system}`, ...(c.system === "netbsd" && c.requests % 2 === 0 ? ["net-mpsafe: on"] : []), `vcpus: ${c.vcpus}`], inKernel),
    ],
    workloads: names.map((name) => `  - http: { from: client, to: ${name}, size: ${c.size}, concurrency: ${c.concurrency}, requests: ${c.requests}, keepalive: ${c.keepalive} }`),
  };
}

const canSwitch = (way: string): boolean => way.startsWith("switch");

const change = fc.record({ at: fc.integer({ min: 0, max: 150 }), domain: fc.nat({ max: 3 }), to: fc.constantFrom("server", "direct") });

const forgery = fc.record({
  at: fc.integer({ min: 0, max: 100 }), domain: fc.nat({ max: 3 }), count: fc.integer({ min: 1, max: 30 }),
  what: fc.constantFrom("mac", "vlan", "ip", "port", "index", "length", "dma", "portmap"),
});

type Forgery = typeof forgery extends fc.Arbitrary<infer T> ? T : never;

/** What a domain on that way can forge. */
function canForge(what: string, way: string): boolean {
  if (what === "portmap") return true;
  if (way === "split") return false;
  if (what === "index" || what === "length") return way !== "direct";
  return what === "dma" || what === "vlan" ? way !== "server" : true;
}

/** The interfaces of a domain, and which of them it begins with. */
function interfacesOf(way: string, vf: string, options: string): string[] {
  const vif = "          - vif: { channel: netsrv.netserver }";
  const driver = `          - ixgbe: { bind: ${way === "switch to any" ? "nic0" : vf}${options} }`;
  if (canSwitch(way)) return [vif, driver, `        uplinks: { tcpip: [vif, ixgbe], active: ${way === "switch from direct" ? "ixgbe" : "vif"} }`];
  return [way === "split" ? "          - netfront: { channel: driver.netback }" : way === "direct" ? driver : vif];
}

/** Something dies or hangs. Times: microseconds for `at`, milliseconds for the others; null: not at all. */
const crash = fc.record({
  at: fc.integer({ min: 100, max: 40_000 }),
  kind: fc.constantFrom("crash", "crash", "restart", "hang"),
  target: fc.nat(30),
  restart: fc.option(fc.constantFrom(0, 1, 20, 250), { freq: 4 }),
  watchdog: fc.option(fc.constantFrom(1, 10), { freq: 3 }),
});
type Crash = typeof crash extends fc.Arbitrary<infer T> ? T : never;

/** What befalls whom. @param all domains and hosts that there are; most faults strike the network server, the first */
function faultOf({ at, kind, target, restart, watchdog }: Crash, all: readonly string[]): string {
  const name = all[target < 3 ? 0 : target % all.length]!;
  const back = kind === "restart" ? `, takes: ${restart ?? 1}ms` : restart === null || (kind === "hang" && watchdog === null) ? "" : `, restart: ${restart}ms`;
  return `  - { at: ${at}us, ${kind}: ${name}${back}${kind === "hang" && watchdog !== null ? `, watchdog: ${watchdog}ms` : ""} }`;
}

export const randomMachine: fc.Arbitrary<RandomMachine> = fc.record({
  domains: fc.array(domain, { minLength: 1, maxLength: 4 }),
  placed: fc.option(cut),
  cores: fc.integer({ min: 1, max: 6 }),
  scheduler: fc.constantFrom("credit", "credit", "pinned", "round-robin"),
  sockets: fc.constantFrom(1, 2),
  timeslice: fc.constantFrom("1ms", "30ms"),
  mtu: fc.constantFrom(1500, 9000),
  rate: fc.constantFrom("100Mbps", "10Gbps"),
  delay: fc.constantFrom("0us", "2us", "100us"),
  loss: fc.constantFrom(0, 0, 0, 0.01, 0.1),
  link: fc.constantFrom("", "", "", ", corrupt: 2%", ", duplicate: 5%", ", reorder: 5%, reorder-by: 30us", ", corrupt: 1%, duplicate: 2%, reorder: 2%"),
  network: fc.constantFrom("bridge", "nat"),
  shared: fc.constantFrom("", "", ": { ip: 10.0.0.100 }"),
  changes: fc.array(change, { maxLength: 5 }),
  forgeries: fc.oneof({ weight: 3, arbitrary: fc.constant<Forgery[]>([]) }, { weight: 1, arbitrary: fc.array(forgery, { minLength: 1, maxLength: 3 }) }),
  crashes: fc.oneof({ weight: 2, arbitrary: fc.constant<Crash[]>([]) }, { weight: 1, arbitrary: fc.array(crash, { minLength: 1, maxLength: 3 }) }),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
}).map(({ domains, placed, network, shared, changes, forgeries, crashes, cores, sockets, scheduler, timeslice, mtu, rate, delay, loss, link, seed }) => {
  const switches = changes.filter(({ domain: d }) => canSwitch(domains[d]?.way ?? "")).map(({ at, domain: d, to }) => `  - { at: ${at}ms, switch: d${d}, to: ${to} }`);
  const forged = forgeries.map((f) => ({ ...f, domain: f.domain % domains.length })).filter((f) => canForge(f.what, domains[f.domain]!.way))
    .map(({ at, domain: d, what, count }) => `  - { at: ${at}ms, forge: ${what === "portmap" ? "netsrv" : `d${d}`}, what: ${what}, count: ${count} }`);
  const isSplit = domains.some(({ way }) => way === "split");
  const vcpus = 1 + Number(isSplit) + domains.reduce((sum, d) => sum + d.vcpus, 0) + (placed?.vcpus ?? 0);
  const processes = placed === null ? { domains: [], workloads: [] } : processesOf(placed, `nic0.vf${domains.length}`);
  const wanted = scheduler === "pinned" ? Math.max(cores, vcpus) : cores;
  const everybody = ["netsrv", ...(isSplit ? ["driver"] : []), ...domains.map((_, i) => `d${i}`), ...processes.domains.filter((line) => /^ {6}\w/.test(line)).map((line) => (line.trim() === "os:" ? "server.os" : line.trim().slice(0, -1))), "client.os", "server", "server.hypervisor", "client"];
  const struck = crashes.map((one) => faultOf(one, everybody));
  const lines = [
    "exoscope: 1", "name: random", "profile: xeon-4114-82599", "hosts:", "  server:",
    `    cpu: { cores: ${sockets * Math.ceil(wanted / sockets)}, numa: ${sockets} }`, "    iommu: on",
    "    devices:", `      nic0: { model: intel-82599, mtu: ${mtu}, sriov: { vfs: ${domains.length + (placed === null ? 0 : 1)} } }`,
    ...(isSplit ? [`      nic1: { model: intel-82599, mtu: ${mtu} }`] : []),
    `    hypervisor: { model: xen, scheduler: ${scheduler}, timeslice: ${timeslice}, ratelimit: 1ms }`,
    "    domains:", "      netsrv:", "        kind: vm", "        vcpus: 1", "        components:", `          - netserver${shared}`, "          - ixgbe: { bind: nic0.pf }",
    ...(isSplit ? ["      driver:", "        kind: driver-domain", `        system: ${seed % 3 === 0 ? "netbsd" : "linux"}`, "        components:", "          - netback", `          - ${network}`, "          - ixgbe: { bind: nic1.pf }"] : []),
  ];
  domains.forEach((d, i) => {
    const options = { "http-server": `port: ${80 + i}, workers: ${d.workers}`, "key-value-store": `port: ${6379 + i}`, memcached: `port: ${11211 + i}, threads: ${d.workers}` }[d.server];
    lines.push(
      `      d${i}:`, "        kind: vm", `        vcpus: ${d.vcpus}`, `        weight: ${d.weight}`, `        cap: ${d.cap}`, `        idle: ${d.idle}`, `        scheduler: ${d.threads}`,
      ...(d.affine && scheduler !== "pinned" ? [`        affinity: [${i % wanted}]`] : []), "        components:",
      `          - ${d.server}: { ${options} }`, ...(d.compute ? [`          - compute: { burst: 100us${d.lock} }`] : []), "          - libc", "          - tcpip",
      ...interfacesOf(d.way, `nic0.vf${i}`, `${d.queues > 1 ? `, queues: ${d.queues}` : ""}${d.offloads}`),
    );
  });
  const client = (name: string, device: string): string => `  ${name}: { model: load-generator, link: { to: server.${device}, rate: ${rate}, delay: ${delay}, loss: ${loss}${link} } }`;
  const from = (d: { readonly way: string }): string => (d.way === "split" ? "other" : "client");
  lines.push(
    ...processes.domains,
    client("client", "nic0"), ...(isSplit ? [client("other", "nic1")] : []), "workloads:",
    ...domains.map((d, i) => {
      const kind = { "http-server": "http", "key-value-store": "key-value", memcached: "memcached" }[d.server];
      const own = { "http-server": `size: ${d.size}, keepalive: ${d.keepalive}`, "key-value-store": `value: ${d.size}, pipeline: ${d.pipeline}`, memcached: `value: ${d.size}` }[d.server];
      return `  - ${kind}: { from: ${from(d)}, to: d${i}, ${own}, concurrency: ${d.concurrency}, requests: ${d.requests}${d.clientThreads === 0 ? "" : `, threads: ${d.clientThreads}`} }`;
    }),
    ...processes.workloads,
    ...(forged.length + struck.length > 0 ? ["faults:", ...forged, ...struck] : []), ...(switches.length > 0 ? ["switches:", ...switches] : []),
    `run: { until: 120s, seed: ${seed} }`, "",
  );
  // What arrives twice or late may be sent again; what arrives broken is lost.
  // A switch loses what is on its way.
  const disturbed = link !== "" || switches.length > 0 || forged.length > 0;
  return { text: lines.join("\n"), loss: Math.max(loss, disturbed ? 0.03 : 0), crashes: struck.length > 0, selfHarm: forged.some((line) => line.includes("dma") || line.includes("index")) };
});

import { table } from "../../engine/cli/table";
import { exponent, mebibytes, perEvent, REQUESTS, ROUNDS, series, text, type Point } from "./growth";
import { cpuTime, least, number, type Section } from "./section";
import { workOf } from "./work";

/** Applications behind one network server: its portmap tells 64 apart. */
const BEHIND_ONE_SERVER = 50;
const SIZES = [1, 10, 50, 100, 200];
const MOST = 200;
/** Applications of {@link MOST} that are asked at all. */
const ASKED = 10;
/** Bytes of a cache line; loads that are timed at once. */
const LINE = 64;
const LOADS = 4_000_000;
/** What a reader of the network server goes through that finds its ring empty while others wait for the server's vCPU. */
const POLL = "backend_forward_receiver: poll";

/** Time, memory and work as the applications of one host get more. */
export const applications: Section = {
  name: "applications",
  title: "Growing numbers of applications",
  async run() {
    const points = await series([...SIZES, MOST], (size, i) => manyApplications(size, i < SIZES.length ? size : ASKED), POLL);
    const all = points.slice(0, SIZES.length);
    const few = points.at(-1)!;
    const loads = new Map(points.map((point) => [point, load(point.bytes)]));
    const work = new Map<Point, number>();
    for (const point of points) work.set(point, await workOf(manyApplications(point.size, point === few ? ASKED : point.size)));
    const time = (of: readonly Point[]): string => exponent(of, ({ seconds, events }) => seconds / events);
    const answering = (of: readonly Point[]): string => exponent(of, (point) => point.answering / (point.events - point.openingEvents));
    const blocks = (of: readonly Point[]): string => exponent(of, (point) => work.get(point)!);
    const more = all.slice(1);
    return [
      `CPU time and memory as the applications of one host get more and the number of requests stays. At most ${BEHIND_ONE_SERVER} are behind one network server, with a connection each. Exponents say how something grows with the applications: 1 is in proportion. The least of ${ROUNDS} interleaved measurements. Memory is what the process holds for the machine, beside its trace and its packets. Blocks are the pieces of the engine's code that an event runs, with every turn of a loop, as V8's precise coverage counts them: what an event has to do, whatever the processor takes for it. Before an answer are the events until the first one, when applications and clients start and find each other by ARP, of which each request goes to all that are behind a server. Polls are those of the server's readers that find nothing: with one application a row of many, since nobody else wants the server's vCPU; with more, each is an event. A load is one that waits for the one before, anywhere in as much memory as the machine holds.`,
      table(
        ["applications", "asked", "requests", "events", "before an answer", "polls an event", "ns an event", "blocks an event", "ns a load", "µs a request", "CPU s a simulated s", "building, ms", "machine, MiB"],
        points.map((point) => [
          number(point.size), number(point === few ? ASKED : point.size), number(point.requests), number(point.events), number(point.openingEvents), (point.counted / point.events).toFixed(2), perEvent(point.seconds, point.events), work.get(point)!.toFixed(0), loads.get(point)!.toFixed(1),
          ((point.seconds / point.requests) * 1e6).toFixed(1), (point.seconds / point.simulated).toFixed(1), (point.build * 1e3).toFixed(0), mebibytes(point.bytes),
        ]),
      ),
      `With the applications of one host, all asked, a second of the simulated machine takes time as n^${exponent(all, ({ seconds, simulated, size }) => seconds / simulated / size)}: it does more in it, until its pCPUs are busy. The same requests take it as n^${exponent(all, ({ seconds, requests, size }) => seconds / requests / size)}; as many requests for each application, n times as many in all, as n^${exponent(all, ({ seconds, requests }) => seconds / requests)}.`,
      `Per event: what one has to do grows as n^${blocks(all)}, from ${more[0]!.size} on, where readers take turns, as n^${blocks(more)}; the time that it takes as n^${time(all)} and n^${time(more)}, from the first answer on as n^${answering(all)} and n^${answering(more)}, with as many for each application. The difference is the processor's caches: of ${MOST} applications of which ${ASKED} are asked, an event takes ${perEvent(few.seconds, few.events)} ns, of ${ASKED} alone ${perEvent(more[0]!.seconds, more[0]!.events)} ns, since what nobody uses is not in the way; where all have their turn, what one of them uses has left the core's own cache before it is used again. Every pCPU has its ticks, and of many readers that take turns some poll often, so that events do not grow as requests do.`,
    ];
  },
};

/** @param asked how many of them have a client, which shares the requests */
function manyApplications(count: number, asked: number): string {
  const servers = Math.ceil(count / BEHIND_ONE_SERVER);
  const domains = Array.from({ length: servers }, (_, s) =>
    `      netsrv${s}: { kind: vm, vcpus: 1, components: [ netserver: { applications: 64 }, ixgbe: { bind: nic0.${s === 0 ? "pf" : `vf${s - 1}`} } ] }`);
  const workloads: string[] = [];
  for (let i = 0; i < count; i++) {
    domains.push(`      app${i}: { kind: vm, vcpus: 1, components: [ http-server: { port: ${8000 + i} }, libc, tcpip, vif: { channel: netsrv${i % servers}.netserver } ] }`);
    // Those that are asked are behind as few servers as they would be alone.
    if (Math.floor(i / servers) + (i % servers) * BEHIND_ONE_SERVER < asked) workloads.push(`  - http: { from: client, to: app${i}, size: 1KiB, concurrency: 1, requests: ${REQUESTS / asked} }`);
  }
  return text(domains, workloads, 16);
}

/** Nanoseconds of a load that waits for the one before, each of another cache line of `bytes` of memory. */
function load(bytes: number): number {
  const lines = Math.max(1, Math.floor(bytes / LINE));
  const words = LINE / Int32Array.BYTES_PER_ELEMENT;
  const next = new Int32Array(lines * words);
  // All lines once, each leading to the next, in an order that no processor guesses.
  const order = Int32Array.from({ length: lines }, (_, i) => i);
  let drawn = 1;
  for (let i = lines - 1; i > 0; i--) {
    drawn = (Math.imul(drawn, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((drawn / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  for (let i = 0; i < lines; i++) next[order[i]! * words] = order[(i + 1) % lines]! * words;
  let at = 0;
  const times = Array.from({ length: 2 * ROUNDS }, () => {
    const start = cpuTime();
    for (let i = 0; i < LOADS; i++) at = next[at]!;
    return cpuTime() - start;
  });
  if (at < 0) throw new Error("a load went astray");
  return (least(times) / LOADS) * 1e9;
}

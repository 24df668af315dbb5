import { beginOfWorkloads } from "../design/beginning";
import type { Workload } from "../design/model";
import { stackOf } from "../design/processes";
import type { Scope } from "../inspect";
import { Priority } from "../kernel/queue";
import { Protocol } from "../network/packets";
import type { PlacedModel, Placement, WorkloadReport } from "../machine/machine";
import { NONE } from "../trace/trace";
import { clientKinds } from "../workloads/clients/registry";
import type { TransportName } from "../workloads/client";
import type { Libc } from "./libc";
import { EchoEndpoints, UdpEndpoints } from "./load/packetEndpoints";
import { Run, type Target } from "./load/run";
import { Streams } from "./load/streams";
import type { Transport } from "./load/transport";
import type { TcpIp } from "./tcpip";

/** Events; the transports' work begins at {@link FIRST_UDP_OP} and {@link FIRST_ECHO_OP}, that of connections at 1. */
const Op = { begin: 0, tick: 1 } as const;
const FIRST_UDP_OP = 10;
const FIRST_ECHO_OP = 20;

/** The clients of the workloads that name its host, or its domain: what each does is in `workloads/clients`, how messages travel in `components/load`. */
export class LoadGenerator implements PlacedModel {
  readonly id: number;
  private readonly runs: Run[] = [];
  private readonly transports: Readonly<Record<TransportName, Transport>> & { readonly tcp: Streams; readonly udp: UdpEndpoints; readonly icmp: EchoEndpoints };
  private readonly fn;
  private readonly threads: number[] = [];
  private libc!: Libc;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions({ "start workload": { kind: "workload" }, "next arrival": { kind: "workload" } });
    for (let i = 0; i < domain.vcpus; i++) this.threads.push(cpus.addThread(domain.id, `client-${i}`, i));
    const libc = (): Libc => this.libc;
    this.transports = {
      tcp: new Streams(machine, this.id, spec.path, this.threads, this.runs, libc),
      udp: new UdpEndpoints(machine, this.id, spec.path, FIRST_UDP_OP, this.threads, this.runs, libc),
      icmp: new EchoEndpoints(machine, this.id, spec.path, FIRST_ECHO_OP, this.threads, this.runs, libc),
    };
  }

  connect(): void {
    const { machine, domain } = this.place;
    const library = domain.components.find((c) => c.type === "libc");
    if (library === undefined) throw new Error(`${this.place.spec.path} has no libc to call.`);
    this.libc = machine.placed(library.path) as Libc;
    for (const spec of machine.design.workloads.filter(({ from }) => from === domain.host || from === domain.path)) {
      const kind = clientKinds[spec.kind];
      if (kind === undefined) throw new Error(`There is no client for the workload ${spec.kind}.`);
      this.runs.push(new Run(this.runs.length, spec, this.targetOf(spec), kind, machine, this.id, Op.tick, this.transports));
    }
  }

  private targetOf(spec: Workload): Target {
    const { machine, domain: own } = this.place;
    const host = machine.design.hosts.find((h) => h.domains.some((d) => d.path === spec.to));
    const domain = host?.domains.find((d) => d.path === spec.to);
    const stack = host && domain && stackOf(host, domain);
    const server = domain?.components.find((c) => c.path === spec.server);
    if (stack === undefined || server === undefined) throw new Error(`The workload ${spec.path} finds no server in ${spec.to}.`);
    const { path } = stack;
    const protocol = server.type === "tcpip" ? Protocol.icmp : server.options["protocol"] === "udp" ? Protocol.udp : Protocol.tcp;
    const published = (): { address: number; port: number } => (machine.placed(path) as TcpIp).published(protocol, Number(server.options["port"] ?? 0), own.path);
    return {
      get address() { return published().address; },
      get port() { return published().port; },
      server: machine.placed(server.path), options: server.options,
    };
  }

  start(): void {
    for (const transport of [this.transports.tcp, this.transports.udp, this.transports.icmp]) transport.start();
    const { machine } = this.place;
    const { kernel } = machine;
    const begin = beginOfWorkloads(machine.design.hosts);
    for (const { number } of this.runs) kernel.schedule(begin, Priority.control, this.id, Op.begin, number);
  }

  reclaim(): void {
    for (const run of this.runs) run.died();
  }

  fire(op: number, w: number, endpoint: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(op === Op.begin ? this.fn["start workload"] : this.fn["next arrival"], this.id, cpus.contextOf(this.threads[0]!), kernel.now, 0, NONE, w);
    if (op === Op.begin) this.runs[w]!.begin();
    else this.runs[w]!.tick(endpoint);
  }

  begin(op: number, a: number, b: number): void {
    this.transportOf(op).begin(op, a, b);
  }

  end(op: number, a: number, b: number): void {
    this.transportOf(op).end(op, a, b);
  }

  private transportOf(op: number): Transport {
    return op < FIRST_UDP_OP ? this.transports.tcp : op < FIRST_ECHO_OP ? this.transports.udp : this.transports.icmp;
  }

  reports(end?: number): WorkloadReport[] {
    return this.runs.map((run) => run.report(end));
  }

  describe(): Scope[] {
    return this.runs.map((run) => {
      const { path, requests, sent, beganAgain, completed, duplicates, errors, latency } = run.report();
      return {
        name: path,
        variables: [
          { name: "issued", value: requests === undefined ? `${sent}` : `${sent} of ${requests}`, number: sent },
          ...(beganAgain.length === 0 ? [] : [{ name: "began again", value: `at ${beganAgain.map((at) => `${(at / 1e9).toFixed(3)} ms`).join(", ")}`, number: beganAgain.length }]),
          { name: "completed", value: `${completed}`, number: completed },
          ...(run.transport === "tcp" ? [] : [{ name: "duplicates", value: `${duplicates}`, number: duplicates }]),
          { name: "errors", value: `${errors}`, number: errors },
          { name: "latency p50", value: `${(latency.quantile(0.5) / 1e6).toFixed(1)} µs`, number: latency.quantile(0.5) },
          { name: "latency p99", value: `${(latency.quantile(0.99) / 1e6).toFixed(1)} µs`, number: latency.quantile(0.99) },
        ],
      };
    });
  }
}

import { fairness } from "../../analysis/fairness";
import { Histogram } from "../../analysis/histogram";
import type { Workload } from "../../design/model";
import { Priority } from "../../kernel/queue";
import type { Store, Table } from "../../kernel/state";
import type { Schema } from "../../kernel/table";
import type { Machine, PlacedModel, WorkloadReport } from "../../machine/machine";
import { NOTHING_RECEIVED, type Client, type ClientKind, type Received, type Runner, type TransportName } from "../../workloads/client";
import { FAILURES, type Failure } from "./failures";
import type { Sink, Transport } from "./transport";

/** In the books, since when a client has been waiting: it is not. */
const NOT_WAITING = -1;

/** Where a workload goes. */
export interface Target {
  readonly address: number;
  readonly port: number;
  readonly server: PlacedModel & Partial<Sink>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** One workload as it runs: its books, and what it asks of the load generator. */
export class Run implements Runner {
  readonly client: Client;
  readonly transport: TransportName;
  readonly noDelay: boolean;
  /** Threads that it may use, the last of its host's; undefined: all. */
  readonly threads: number | undefined;
  readonly latency: Histogram;
  private readonly books;
  /** Row `i`: how often for reason `i`. */
  private readonly failures;
  /** Bytes that got through, by client; and whose each endpoint is. */
  private readonly shares;
  private readonly current;
  private readonly stream: number;

  /** @param number among the workloads of the load generator */
  constructor(
    readonly number: number, readonly spec: Workload, readonly target: Target, kind: ClientKind,
    private readonly machine: Machine, private readonly component: number, private readonly tickOp: number,
    private readonly transports: Readonly<Record<TransportName, Transport>>,
  ) {
    const { store, random } = machine.kernel;
    this.latency = new Histogram(store, spec.path);
    this.books = store.scalars(`books of ${spec.path}`, ["issued", "completed", "duplicates", "bytes", "first", "last", "since", "silence"]);
    this.books.since = NOT_WAITING;
    this.failures = store.table(`errors of ${spec.path}`, { count: "f64" }, FAILURES.length);
    for (const _ of FAILURES) this.failures.alloc();
    this.shares = store.table(`shares of ${spec.path}`, { bytes: "f64" });
    this.stream = random.open(spec.path, "requests");
    this.transport = kind.transport(target.options);
    this.current = this.byEndpoint("endpoints", { client: "i32" });
    this.noDelay = kind.noDelay === true;
    this.threads = spec.options["threads"] as number | undefined;
    this.client = kind.create(this);
  }

  get store(): Store {
    return this.machine.kernel.store;
  }

  byEndpoint<const S extends Schema>(name: string, schema: S): Table<S> {
    return this.transports[this.transport].tables.table(name, schema);
  }

  get now(): number {
    return this.machine.kernel.now;
  }

  get issued(): number {
    return this.books.issued;
  }

  get completed(): number {
    return this.books.completed;
  }

  get longest(): number {
    return this.latency.most;
  }

  draw(): number {
    return this.machine.kernel.random.next(this.stream);
  }

  uniform(): number {
    return this.machine.kernel.random.uniform(this.stream);
  }

  open(ticket = 0): void {
    this.wait();
    this.transports[this.transport].open(this, ticket);
  }

  ask(endpoint: number): void {
    this.transports[this.transport].ask(endpoint);
  }

  close(endpoint: number): void {
    this.transports[this.transport].close(endpoint);
  }

  shutdown(endpoint: number): void {
    this.transports[this.transport].shutdown(endpoint);
  }

  after(delay: number, endpoint = 0): void {
    this.machine.kernel.schedule(delay, Priority.timeout, this.component, this.tickOp, this.number, endpoint);
  }

  complete(latency: number): void {
    this.latency.record(latency);
    this.books.completed++;
    this.advance();
  }

  progress(endpoint: number, bytes: number, messages: number): void {
    this.read(endpoint, bytes);
    this.books.completed += messages;
    if (bytes > 0) this.advance();
  }

  /** Something has got through. */
  private advance(): void {
    const b = this.books;
    b.silence = this.silence(this.now);
    b.last = this.now;
    b.since = this.client.waits ? this.now : NOT_WAITING;
  }

  /** The client may have begun to wait for something. */
  private wait(): void {
    const b = this.books;
    if (b.since === NOT_WAITING && this.client.waits) b.since = this.now;
  }

  /** The longest time in which something was waited for and nothing got through, the one until `end` included. */
  private silence(end: number): number {
    const b = this.books;
    return b.since === NOT_WAITING ? b.silence : Math.max(b.silence, end - b.since);
  }

  receivedBy(endpoint: number): Received {
    const { server } = this.target;
    return server.receivedOn?.(this.transports[this.transport].streamOf(endpoint)) ?? NOTHING_RECEIVED;
  }

  // --- What the load generator books --------------------------------------------------------------------------------

  begin(): void {
    this.books.first = this.now;
    for (let i = 0; i < (this.client.clients ?? 1); i++) this.shares.alloc();
    this.client.begin();
    this.wait();
  }

  /** What {@link after} asked for. */
  tick(endpoint: number): void {
    this.client.tick?.(endpoint);
    this.wait();
  }

  /** An endpoint that {@link open} asked for is open, or is being opened: numbers come again, when the one before is gone. */
  opened(endpoint: number, ticket: number): void {
    const { current } = this;
    while (current.rows <= endpoint) current.alloc();
    current.client[endpoint] = ticket;
    this.client.opened?.(endpoint, ticket);
  }

  /** A message was written. */
  sent(endpoint: number, index: number): void {
    this.books.issued++;
    this.client.sent(endpoint, index);
    this.wait();
  }

  /** Bytes of answers were read. */
  read(endpoint: number, bytes: number): void {
    this.shares.bytes[this.current.client[endpoint]!]! += bytes;
    this.books.bytes += bytes;
  }

  /** An answer came again: each counts once, and its latency is that of the first copy. */
  repeated(): void {
    this.books.duplicates++;
  }

  failed(why: Failure): void {
    this.failures.count[FAILURES.indexOf(why)]!++;
  }

  report(end = this.now): WorkloadReport {
    const b = this.books;
    const outcome = this.client.outcome?.(end);
    const failures = FAILURES.map((why, i) => [why, this.failures.count[i]!] as const).filter(([, count]) => count > 0);
    const until = b.first > 0 ? this.client.until(end) : 0;
    return {
      path: this.spec.path, kind: this.spec.kind, requests: this.client.requests, sent: b.issued, completed: outcome?.completed ?? b.completed, duplicates: outcome?.duplicates ?? b.duplicates,
      errors: failures.reduce((sum, [, count]) => sum + count, 0), failures: Object.fromEntries(failures),
      duration: Math.max(0, Math.max(until, outcome?.last ?? b.last) - b.first), bytes: outcome?.bytes ?? b.bytes, latency: this.latency,
      fairness: fairness(this.shares.bytes.subarray(0, this.shares.rows)), silence: outcome?.silence ?? this.silence(until),
      ...(this.client.sizes === undefined ? {} : { sizes: this.client.sizes() }),
    };
  }
}

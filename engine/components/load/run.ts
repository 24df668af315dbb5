import { Books } from "../../analysis/books";
import { fairness } from "../../analysis/fairness";
import type { Workload } from "../../design/model";
import { Priority } from "../../kernel/queue";
import type { Store, Table } from "../../kernel/state";
import type { Schema } from "../../kernel/table";
import type { Machine, PlacedModel, WorkloadReport } from "../../machine/machine";
import { NOTHING_RECEIVED, type Client, type ClientKind, type Received, type Runner, type TransportName } from "../../workloads/client";
import { FAILURES, type Failure } from "./failures";
import type { Sink, Transport } from "./transport";

/** Where a workload goes. */
export interface Target {
  readonly address: number;
  readonly port: number;
  readonly server: PlacedModel & Partial<Sink>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** One workload as it runs: its books, which no end of its program takes away, and what it asks of the load generator. */
export class Run implements Runner {
  readonly client: Client;
  readonly transport: TransportName;
  readonly noDelay: boolean;
  /** Threads that it may use, the last of its host's; undefined: all. */
  readonly threads: number | undefined;
  private readonly books: Books;
  /** Row `i`: how often for reason `i`. */
  private readonly failures;
  /** Bytes that got through, by client. */
  private readonly shares;
  /** What the program itself knows, since it began: of a domain's memory, as the rest of the client. */
  private readonly program;
  /** Whose each endpoint is. */
  private readonly current;
  private readonly stream: number;

  /** @param number among the workloads of the load generator */
  constructor(
    readonly number: number, readonly spec: Workload, readonly target: Target, kind: ClientKind,
    private readonly machine: Machine, private readonly component: number, private readonly tickOp: number,
    private readonly transports: Readonly<Record<TransportName, Transport>>,
  ) {
    const { store, random } = machine.kernel;
    this.books = new Books(store, spec.path);
    this.failures = store.within(undefined, () => store.table(`errors of ${spec.path}`, { count: "f64" }, FAILURES.length));
    for (const _ of FAILURES) this.failures.alloc();
    this.shares = store.within(undefined, () => store.table(`shares of ${spec.path}`, { bytes: "f64" }));
    this.program = store.scalars(`program of ${spec.path}`, ["issued", "completed", "begun"]);
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
    return this.program.issued;
  }

  get completed(): number {
    return this.program.completed;
  }

  get longest(): number {
    return this.books.latency.most;
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
    this.books.complete(latency);
    this.program.completed++;
    this.advance();
  }

  progress(endpoint: number, bytes: number, messages: number): void {
    this.read(endpoint, bytes);
    this.books.totals.completed += messages;
    this.program.completed += messages;
    if (bytes > 0) this.advance();
  }

  /** Something has got through. */
  private advance(): void {
    this.books.advance(this.now, this.client.waits);
  }

  /** The client may have begun to wait for something. */
  private wait(): void {
    if (this.client.waits) this.books.wait(this.now);
  }

  streamOf(endpoint: number): number {
    return this.transports[this.transport].streamOf(endpoint);
  }

  receivedOn(stream: number): Received {
    return this.target.server.receivedOn?.(stream) ?? NOTHING_RECEIVED;
  }

  // --- What the load generator books --------------------------------------------------------------------------------

  begin(): void {
    this.books.begin(this.now);
    this.program.begun = 1;
    while (this.shares.rows < (this.client.clients ?? 1)) this.shares.alloc();
    this.client.begin();
    this.wait();
  }

  /** The client's domain has died; its memory holds still what it was. */
  died(): void {
    if (this.program.begun === 1) this.books.died(this.client.until(Infinity));
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
    this.books.totals.sent++;
    this.program.issued++;
    this.client.sent(endpoint, index);
    this.wait();
  }

  /** Bytes of answers were read. */
  read(endpoint: number, bytes: number): void {
    this.shares.bytes[this.current.client[endpoint]!]! += bytes;
    this.books.totals.bytes += bytes;
  }

  /** An answer came again: each counts once, and its latency is that of the first copy. */
  repeated(): void {
    this.books.totals.duplicates++;
  }

  failed(why: Failure): void {
    this.failures.count[FAILURES.indexOf(why)]!++;
  }

  report(end = this.now): WorkloadReport {
    const { books, client: { requests }, failures: { count } } = this;
    const { sent, completed, duplicates, bytes } = books.totals;
    const outcome = this.client.outcome?.(end);
    const failures = FAILURES.map((why, i) => [why, count[i]!] as const).filter(([, n]) => n > 0);
    // A program that is to begin again does not know of its lives before.
    const until = this.program.begun === 1 ? this.client.until(end) : books.untilOfDead(end);
    return {
      path: this.spec.path, kind: this.spec.kind, requests: requests === undefined ? undefined : requests * Math.max(1, books.lives), sent, beganAgain: books.beganAgain,
      completed: outcome?.completed ?? completed, duplicates: outcome?.duplicates ?? duplicates,
      errors: failures.reduce((sum, [, n]) => sum + n, 0), failures: Object.fromEntries(failures),
      duration: books.duration(until, outcome?.last), bytes: outcome?.bytes ?? bytes, latency: books.latency,
      fairness: fairness(this.shares.bytes.subarray(0, this.shares.rows)), silence: outcome?.silence ?? books.silence(until),
      ...(this.client.sizes === undefined ? {} : { sizes: this.client.sizes() }),
    };
  }
}

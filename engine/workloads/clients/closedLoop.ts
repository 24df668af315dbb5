import { log } from "../../kernel/math";
import type { Client, Runner } from "../client";
import { numberOption } from "../client";
import type { Message } from "../protocol";

/** What tells one closed loop from another. */
export interface ClosedLoopKind {
  readonly requests: number;
  /** Whether a connection serves many requests. */
  readonly keepAlive: boolean;
  /** The first request on a connection counts from before the connection is opened. */
  readonly countsOpening?: boolean;
  /** Requests that a connection writes at once, and whose answers it awaits before it writes the next ones; without it, one. */
  readonly pipeline?: number;
  /** A request. @param number of those before it @param draw u32, drawn for it */
  request(number: number, draw: number): Message;
  /** Its answer was read. */
  answered?(number: number, latency: number): void;
}

/**
 * A number of connections, each with one request under way (ApacheBench, redis-benchmark, NetPIPE), or with a pipeline of them. The latency
 * of a request runs from the moment it has been written until its answer has been read; where it is {@link ClosedLoopKind.countsOpening}, the first one's
 * of a connection from when that is wanted.
 */
export class ClosedLoop implements Client {
  readonly requests: number;
  readonly atOnce: number;
  readonly clients: number;
  /** Of each endpoint, {@link atOnce} rows: what was drawn for a request, its number, and when it was written. */
  private readonly request;
  private readonly endpoint;
  /** Since when a client has wanted a connection that has no number yet. */
  private readonly client;
  private readonly state;
  /** Mean time that a client thinks before it asks again, picoseconds. */
  private readonly think: number;

  constructor(private readonly runner: Runner, private readonly kind: ClosedLoopKind) {
    this.requests = kind.requests;
    this.think = numberOption(runner, "think");
    this.atOnce = kind.pipeline ?? 1;
    this.clients = Math.min(Math.max(1, numberOption(runner, "concurrency")), this.requests);
    this.request = runner.byEndpoint(`requests under way, ${this.atOnce} at once,`, { draw: "u32", number: "f64", since: "f64" });
    this.endpoint = runner.byEndpoint("pipelines", { client: "u32", written: "u32", answered: "u32", wanted: "f64" });
    this.client = runner.store.table(`clients of ${runner.spec.path}`, { since: "f64" });
    // `opened`: connections that have asked for something, or are to.
    this.state = runner.store.scalars(`connections of ${runner.spec.path}`, ["opened", "thinking", "lost", "lostAt"]);
  }

  /** Requests that are neither answered nor lost with their connection. */
  private get left(): number {
    return this.requests - this.runner.completed - this.state.lost;
  }

  /** Unless all clients think. */
  get waits(): boolean {
    return this.left > 0 && this.state.thinking < this.clients;
  }

  until(end: number): number {
    return this.left > 0 ? end : this.state.lostAt;
  }

  begin(): void {
    for (let i = 0; i < this.clients; i++) this.open(this.client.alloc());
  }

  opened(endpoint: number, client: number): void {
    while (this.endpoint.rows <= endpoint) this.endpoint.alloc();
    while (this.request.rows < (endpoint + 1) * this.atOnce) this.request.alloc();
    this.endpoint.client[endpoint] = client;
    this.endpoint.wanted[endpoint] = this.client.since[client]!;
    this.endpoint.written[endpoint] = this.endpoint.answered[endpoint] = 0;
  }

  ready(endpoint: number): void {
    this.next(endpoint);
  }

  /** The client thinks first, where it is said to, for an exponential time. */
  private nextSoon(endpoint: number): void {
    if (this.think === 0) return this.next(endpoint);
    this.state.thinking++;
    this.runner.after(Math.round(-this.think * log(1 - this.runner.uniform())), endpoint);
  }

  tick(endpoint: number): void {
    this.state.thinking--;
    this.next(endpoint);
  }

  private next(endpoint: number): void {
    const first = endpoint * this.atOnce;
    for (let i = 0; i < this.atOnce; i++) this.request.draw[first + i] = this.runner.draw();
    this.endpoint.written[endpoint] = this.endpoint.answered[endpoint] = 0;
    this.runner.ask(endpoint);
  }

  message(endpoint: number, index: number): Message | undefined {
    const number = this.runner.issued + index;
    return number < this.requests ? this.kind.request(number, this.request.draw[endpoint * this.atOnce + index]!) : undefined;
  }

  sent(endpoint: number, index: number): void {
    const row = endpoint * this.atOnce + index;
    const wanted = this.endpoint.wanted[endpoint]!;
    this.endpoint.wanted[endpoint] = 0;
    this.request.since[row] = this.kind.countsOpening === true && wanted > 0 ? wanted : this.runner.now;
    this.request.number[row] = this.runner.issued - 1;
    this.endpoint.written[endpoint]!++;
  }

  /** The next one of those written: answers come in the order of their requests. */
  answered(endpoint: number): void {
    const { runner, kind } = this;
    const row = endpoint * this.atOnce + this.endpoint.answered[endpoint]!++;
    const latency = runner.now - this.request.since[row]!;
    kind.answered?.(this.request.number[row]!, latency);
    if (this.endpoint.answered[endpoint] === this.endpoint.written[endpoint]) this.goOn(endpoint);
    runner.complete(latency);
  }

  /** All that the endpoint has asked for is there. */
  private goOn(endpoint: number): void {
    const { runner, kind } = this;
    if (kind.keepAlive && runner.issued < this.requests) {
      this.nextSoon(endpoint);
      return;
    }
    runner.close(endpoint);
    if (!kind.keepAlive && this.lacksConnections) this.open(this.endpoint.client[endpoint]!);
  }

  /** There is more to ask for than connections ask for: of those that serve one request, each asks for one (ab's `start_connect` looks at what has been started). */
  private get lacksConnections(): boolean {
    return (this.kind.keepAlive ? this.runner.issued : this.state.opened) < this.requests;
  }

  private open(client: number): void {
    this.state.opened++;
    this.client.since[client] = this.runner.now;
    this.runner.open(client);
  }

  /** What it had not answered is lost, and not asked for again; another takes its place, as long as there is something to ask for. */
  failed(endpoint: number): void {
    const lost = this.endpoint.written[endpoint]! - this.endpoint.answered[endpoint]!;
    if (lost > 0) {
      this.state.lost += lost;
      this.state.lostAt = this.runner.now;
    } else {
      this.state.opened--;
    }
    if (this.lacksConnections) this.open(this.endpoint.client[endpoint]!);
  }

  unopened(client: number, again: boolean): void {
    this.state.opened--;
    if (again && this.lacksConnections) this.open(client);
  }
}

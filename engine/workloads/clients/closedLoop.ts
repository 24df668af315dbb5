import { log } from "../../kernel/math";
import type { Client, Runner } from "../client";
import { numberOption } from "../client";
import type { Message } from "../protocol";

/** What tells one closed loop from another. */
export interface ClosedLoopKind {
  readonly requests: number;
  /** Whether a connection serves many requests. */
  readonly keepAlive: boolean;
  /** A request. @param number of those before it @param draw u32, drawn for it */
  request(number: number, draw: number): Message;
  /** Its answer was read. */
  answered?(number: number, latency: number): void;
}

/**
 * A number of connections, each with one request under way (ApacheBench, redis-benchmark, NetPIPE). The latency of a request runs from the
 * moment it has been written until its answer has been read.
 */
export class ClosedLoop implements Client {
  readonly requests: number;
  private readonly endpoint;
  private readonly state;
  /** Mean time that a client thinks before it asks again, picoseconds. */
  private readonly think: number;

  constructor(private readonly runner: Runner, private readonly kind: ClosedLoopKind) {
    this.requests = kind.requests;
    this.think = numberOption(runner, "think");
    this.endpoint = runner.store.table(`requests under way of ${runner.spec.path}`, { draw: "u32", number: "f64", since: "f64" });
    this.state = runner.store.table(`connections of ${runner.spec.path}`, { opened: "f64" }, 1);
    this.state.alloc();
  }

  begin(): void {
    const connections = Math.min(Math.max(1, numberOption(this.runner, "concurrency")), this.requests);
    for (let i = 0; i < connections; i++) this.open();
  }

  ready(endpoint: number): void {
    while (this.endpoint.rows <= endpoint) this.endpoint.alloc();
    this.next(endpoint);
  }

  /** The client thinks first, where it is said to, for an exponential time. */
  private nextSoon(endpoint: number): void {
    if (this.think === 0) return this.next(endpoint);
    this.runner.after(Math.round(-this.think * log(1 - this.runner.uniform())), endpoint);
  }

  tick(endpoint: number): void {
    this.next(endpoint);
  }

  private next(endpoint: number): void {
    this.endpoint.draw[endpoint] = this.runner.draw();
    this.runner.ask(endpoint);
  }

  message(endpoint: number): Message | undefined {
    const { issued } = this.runner;
    return issued < this.requests ? this.kind.request(issued, this.endpoint.draw[endpoint]!) : undefined;
  }

  sent(endpoint: number): void {
    this.endpoint.since[endpoint] = this.runner.now;
    this.endpoint.number[endpoint] = this.runner.issued - 1;
  }

  answered(endpoint: number): void {
    const { runner, kind } = this;
    const latency = runner.now - this.endpoint.since[endpoint]!;
    runner.complete(latency);
    kind.answered?.(this.endpoint.number[endpoint]!, latency);
    if (kind.keepAlive && runner.issued < this.requests) {
      this.nextSoon(endpoint);
      return;
    }
    runner.close(endpoint);
    if (!kind.keepAlive && this.state.opened[0]! < this.requests) this.open();
  }

  private open(): void {
    this.state.opened[0]!++;
    this.runner.open();
  }

  /** Another takes its place, as long as there is something to ask for. */
  failed(): void {
    this.state.opened[0]!--;
    if (this.runner.issued < this.requests) this.open();
  }
}

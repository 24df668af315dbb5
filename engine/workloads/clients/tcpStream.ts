import { numberOption, type Client, type ClientKind, type Runner } from "../client";
import { datum } from "../data";
import type { Message } from "../protocol";

/**
 * netperf's TCP_STREAM: each connection writes as fast as TCP takes it, for a time, shuts down, and waits until the other end has
 * read all and closes. What counts is what the other end has acknowledged.
 */
export const tcpStream: ClientKind = {
  transport: () => "tcp",
  create: (runner) => new TcpStream(runner),
};

class TcpStream implements Client {
  readonly requests = undefined;
  private readonly endpoint;
  private readonly scalars;
  /** Bytes of a call of write. */
  private readonly write: number;

  constructor(private readonly runner: Runner) {
    this.write = numberOption(runner, "write");
    this.endpoint = runner.byEndpoint("streams", { written: "f64", acknowledged: "f64" });
    this.scalars = runner.store.table(`end of ${runner.spec.path}`, { end: "f64", open: "f64", failed: "f64" }, 1);
    this.scalars.alloc();
  }

  get clients(): number {
    return numberOption(this.runner, "concurrency");
  }

  begin(): void {
    this.scalars.end[0] = this.runner.now + numberOption(this.runner, "duration");
    this.scalars.open[0] = this.clients;
    for (let i = 0; i < this.clients; i++) this.runner.open(i);
  }

  private get over(): boolean {
    return this.runner.now >= this.scalars.end[0]!;
  }

  get waits(): boolean {
    return !this.over || this.scalars.open[0]! > 0;
  }

  until(end: number): number {
    const { open, failed } = this.scalars;
    return open[0]! > 0 ? end : failed[0]! > 0 ? Math.min(end, this.scalars.end[0]!) : 0;
  }

  ready(endpoint: number): void {
    while (this.endpoint.rows <= endpoint) this.endpoint.alloc();
    this.endpoint.written[endpoint] = this.endpoint.acknowledged[endpoint] = 0;
    this.runner.ask(endpoint);
  }

  message(): Message {
    return datum(0, this.write);
  }

  sent(endpoint: number): void {
    this.endpoint.written[endpoint]! += this.write;
  }

  taken(endpoint: number): void {
    if (!this.over) this.runner.ask(endpoint);
    else this.runner.shutdown(endpoint);
  }

  acknowledged(endpoint: number, total: number): void {
    const before = this.endpoint.acknowledged[endpoint]!;
    this.runner.progress(endpoint, total - before, Math.floor(total / this.write) - Math.floor(before / this.write));
    this.endpoint.acknowledged[endpoint] = total;
  }

  ended(endpoint: number): void {
    this.acknowledged(endpoint, this.endpoint.written[endpoint]!);
    this.scalars.open[0]!--;
    this.runner.close(endpoint);
  }

  failed(): void {
    this.scalars.open[0]!--;
    this.scalars.failed[0]!++;
  }

  unopened(): void {
    this.failed();
  }
}

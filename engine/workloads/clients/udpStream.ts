import { NOTHING_RECEIVED, numberOption, type Client, type ClientKind, type Runner } from "../client";
import { datum } from "../data";
import type { Message } from "../protocol";

/**
 * netperf's UDP_STREAM: datagrams of one size for a time, one after the other or at a given distance. What counts is what the server has
 * received; the difference was lost on the way.
 */
export const udpStream: ClientKind = {
  transport: () => "udp",
  create: (runner) => new UdpStream(runner),
};

class UdpStream implements Client {
  readonly requests = undefined;
  private readonly state;

  constructor(private readonly runner: Runner) {
    this.state = runner.store.table(`stream of ${runner.spec.path}`, { end: "f64", endpoint: "i32" }, 1);
    this.state.alloc();
    this.state.endpoint[0] = -1;
  }

  /** Its silence is that of what arrives: see {@link outcome}. */
  get waits(): boolean {
    return false;
  }

  until(end: number): number {
    return Math.min(end, this.state.end[0]!);
  }

  begin(): void {
    this.state.end[0] = this.runner.now + numberOption(this.runner, "duration");
    this.runner.open();
  }

  ready(endpoint: number): void {
    this.state.endpoint[0] = endpoint;
    this.runner.ask(endpoint);
  }

  message(): Message | undefined {
    return this.runner.now < this.state.end[0]! ? datum(0, numberOption(this.runner, "size")) : undefined;
  }

  sent(endpoint: number): void {
    const interval = numberOption(this.runner, "interval");
    if (interval === 0) this.runner.ask(endpoint);
    else this.runner.after(interval);
  }

  tick(): void {
    this.runner.ask(this.state.endpoint[0]!);
  }

  /** Nothing gets through between two datagrams that arrive; before the first; and after the last, for as long as it sends. */
  outcome(end: number): { completed: number; bytes: number; duplicates: number; last: number; silence: number } {
    const endpoint = this.state.endpoint[0]!;
    const { messages, bytes, duplicates, first, last, silence } = endpoint < 0 ? NOTHING_RECEIVED : this.runner.receivedBy(endpoint);
    const begin = this.state.end[0]! - numberOption(this.runner, "duration");
    const until = this.until(end);
    return { completed: messages, bytes, duplicates, last, silence: Math.max(silence, messages > 0 ? first - begin : 0, until - (messages > 0 ? last : begin)) };
  }
}

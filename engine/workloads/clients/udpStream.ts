import { NOTHING_RECEIVED, numberOption, type Client, type ClientKind, type Received, type Runner } from "../client";
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
  /** A row each time that it began: its stream, plus one, when it began, and when it was to end. Of the books: a new program knows nothing of the streams before. */
  private readonly lives;

  constructor(private readonly runner: Runner) {
    this.state = runner.store.table(`stream of ${runner.spec.path}`, { end: "f64", endpoint: "i32" }, 1);
    this.state.alloc();
    this.state.endpoint[0] = -1;
    const { store, spec } = runner;
    this.lives = store.within(undefined, () => store.table(`streams of ${spec.path}`, { stream: "i32", begin: "f64", end: "f64" }, 1, true));
  }

  /** Its silence is that of what arrives: see {@link outcome}. */
  get waits(): boolean {
    return false;
  }

  until(end: number): number {
    return Math.min(end, this.state.end[0]!);
  }

  begin(): void {
    const { now } = this.runner;
    const end = now + numberOption(this.runner, "duration");
    const life = this.lives.alloc();
    this.lives.begin[life] = now;
    this.lives.end[life] = this.state.end[0] = end;
    this.runner.open();
  }

  ready(endpoint: number): void {
    this.state.endpoint[0] = endpoint;
    this.lives.stream[this.lives.rows - 1] = this.runner.streamOf(endpoint) + 1;
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

  /**
   * Nothing gets through between two datagrams that arrive; before the first; and after the last, for as long as it sends: also where its client is away, which has not
   * sent all, until the first one after that.
   */
  outcome(end: number): { completed: number; bytes: number; duplicates: number; last: number; silence: number } {
    const { lives } = this;
    const sum = { completed: 0, bytes: 0, duplicates: 0, last: 0, silence: 0 };
    // Since when nothing has got through, of the life before.
    let since = 0;
    for (let i = 0; i < lives.rows; i++) {
      const { messages, bytes, duplicates, first, last, silence } = this.receivedIn(i);
      sum.completed += messages;
      sum.bytes += bytes;
      sum.duplicates += duplicates;
      const begin = lives.begin[i]!;
      if (i === 0 || lives.end[i - 1]! < begin) since = begin;
      if (messages > 0) {
        sum.silence = Math.max(sum.silence, silence, first - since);
        sum.last = since = last;
      }
      const next = i + 1 < lives.rows ? lives.begin[i + 1]! : end;
      sum.silence = Math.max(sum.silence, Math.min(next, lives.end[i]!) - since);
    }
    return sum;
  }

  private receivedIn(life: number): Received {
    const stream = this.lives.stream[life]!;
    return stream === 0 ? NOTHING_RECEIVED : this.runner.receivedOn(stream - 1);
  }
}

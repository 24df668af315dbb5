import { Ring } from "../../kernel/ring";
import { numberOption, type Client, type ClientKind, type Runner } from "../client";
import { datum, numberOf } from "../data";
import type { Message } from "../protocol";
import { bursty, periodic, poisson, recorded, type Arrivals } from "./arrivals";

/** Requests that come when they come, whatever has become of those before: Poisson, in bursts, at a fixed distance, or as recorded. */
export const openLoop: ClientKind = {
  noDelay: true,
  transport: (server) => (server["protocol"] === "udp" ? "udp" : "tcp"),
  create: (runner) => new OpenLoop(runner, arrivalsOf(runner)),
};

function arrivalsOf(runner: Runner): Arrivals {
  const [requests, interval, size] = [numberOption(runner, "requests"), numberOption(runner, "interval"), numberOption(runner, "size")];
  switch (runner.spec.options["arrivals"]) {
    case "bursty":
      return bursty(runner, requests, interval, numberOption(runner, "on"), numberOption(runner, "off"), size);
    case "periodic":
      return periodic(requests, interval, size);
    case "listed":
    case "file":
      return recorded(runner.spec.options["list"] as readonly (readonly [number, number])[]);
    default:
      return poisson(runner, requests, interval, size);
  }
}

/**
 * Sends each request at its arrival: at once as a datagram; over TCP on the first connection that is free, and until then it waits its
 * turn. Latency runs from the arrival, so that waiting counts.
 */
export class OpenLoop implements Client {
  readonly requests: number;
  private readonly arrival;
  /** Whether an endpoint has a request under way. */
  private readonly busy;
  private readonly state;
  private readonly idle: Ring;
  private readonly connections: number;
  private readonly shares: boolean;

  constructor(private readonly runner: Runner, private readonly arrivals: Arrivals) {
    this.requests = arrivals.count;
    this.shares = runner.transport !== "tcp";
    this.connections = this.shares ? 1 : Math.max(1, numberOption(runner, "concurrency"));
    this.arrival = runner.store.table(`arrivals of ${runner.spec.path}`, { at: "f64", answered: "u8" });
    this.state = runner.store.table(`open loop of ${runner.spec.path}`, { asked: "f64", endpoint: "i32", answered: "f64", lost: "f64", lostAt: "f64" }, 1);
    this.state.alloc();
    this.state.endpoint[0] = -1;
    this.busy = runner.byEndpoint("busy endpoints", { busy: "u8" });
    this.idle = new Ring(runner.store, `idle endpoints of ${runner.spec.path}`, this.connections, "room");
  }

  /**
   * Requests that have arrived and may still be answered. Nobody says that a datagram is lost: those before the newest one that was
   * answered are taken for it.
   */
  private get awaited(): number {
    const { state } = this;
    return this.arrival.rows - (this.shares ? state.answered[0]! : this.runner.completed + state.lost[0]!);
  }

  get waits(): boolean {
    return this.awaited > 0;
  }

  /** The last datagrams are given up when the answer that took longest would have been there. */
  until(end: number): number {
    const { arrival, requests, runner, state } = this;
    if (arrival.rows < requests) return end;
    if (!this.waits) return state.lostAt[0]!;
    return this.shares && runner.completed > 0 ? Math.min(end, arrival.at[requests - 1]! + runner.longest) : end;
  }

  begin(): void {
    for (let i = 0; i < this.connections; i++) this.runner.open();
    if (this.requests > 0) this.runner.after(this.arrivals.gap(0));
  }

  tick(): void {
    const row = this.arrival.alloc();
    this.arrival.at[row] = this.runner.now;
    this.assign();
    if (row + 1 < this.requests) this.runner.after(this.arrivals.gap(row + 1));
  }

  /** Requests that have arrived go to endpoints that are free. */
  private assign(): void {
    const { state } = this;
    while (state.asked[0]! < this.arrival.rows) {
      const endpoint = this.shares ? state.endpoint[0]! : this.idle.shift();
      if (endpoint < 0) return;
      state.asked[0]!++;
      this.runner.ask(endpoint);
    }
  }

  ready(endpoint: number): void {
    if (this.shares) this.state.endpoint[0] = endpoint;
    else this.idle.push(endpoint);
    this.assign();
  }

  message(): Message | undefined {
    const { issued } = this.runner;
    return issued < this.arrival.rows ? datum(issued, this.arrivals.size(issued)) : undefined;
  }

  sent(endpoint: number): void {
    if (this.shares) return;
    while (this.busy.rows <= endpoint) this.busy.alloc();
    this.busy.busy[endpoint] = 1;
  }

  has(value: number): boolean {
    return this.arrival.answered[numberOf(value)] === 1;
  }

  answered(endpoint: number, value: number): void {
    this.arrival.answered[numberOf(value)] = 1;
    if (this.shares) this.state.answered[0] = Math.max(this.state.answered[0]!, numberOf(value) + 1);
    else this.busy.busy[endpoint] = 0;
    this.runner.complete(this.runner.now - this.arrival.at[numberOf(value)]!);
    if (this.shares) return;
    if (this.runner.issued >= this.requests && this.state.asked[0]! >= this.requests) this.runner.close(endpoint);
    else this.idle.push(endpoint);
    this.assign();
  }

  /** What the endpoint had not answered is lost; another takes its place. */
  failed(endpoint: number): void {
    if (this.shares) return;
    if (endpoint < this.busy.rows && this.busy.busy[endpoint] === 1) {
      this.busy.busy[endpoint] = 0;
      this.state.lost[0]!++;
      this.state.lostAt[0] = this.runner.now;
    }
    this.runner.open();
  }

  unopened(_ticket: number, again: boolean): void {
    if (again) this.runner.open();
  }
}

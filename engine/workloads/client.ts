import type { Workload } from "../design/model";
import type { Store, Table } from "../kernel/state";
import type { Schema } from "../kernel/table";
import type { SizeReport } from "../machine/machine";
import type { Message } from "./protocol";

/** How a workload's messages travel: TCP connections, datagrams of one UDP socket, or ICMP echo requests. */
export type TransportName = "tcp" | "udp" | "icmp";

/** What a server counted of one stream: for workloads whose result is what arrived. */
export interface Received {
  /** Each once, however many copies of it came. */
  readonly messages: number;
  /** Of these. */
  readonly bytes: number;
  /** Further copies. */
  readonly duplicates: number;
  /** When the first and the last came, picoseconds; 0 before the first. */
  readonly first: number;
  readonly last: number;
  /** The longest time between two, picoseconds. */
  readonly silence: number;
}

export const NOTHING_RECEIVED: Received = { messages: 0, bytes: 0, duplicates: 0, first: 0, last: 0, silence: 0 };

/**
 * What a workload asks of the load generator that runs it. An endpoint is a connection, a socket or an echo identifier. Calls are
 * requests: what they set off happens in work of its own, later. Times in picoseconds.
 */
export interface Runner {
  readonly spec: Workload;
  readonly store: Store;
  /**
   * A table by endpoint, which all workloads share that ask for one of this name: endpoints are numbered by their transport, whosever they are, so that tables of
   * each workload's own would have rows for those of all, and none of them would be in a cache when its workload's turn comes.
   */
  byEndpoint<const S extends Schema>(name: string, schema: S): Table<S>;
  readonly transport: TransportName;
  readonly now: number;
  /** Messages sent so far, since the program began. */
  readonly issued: number;
  /** Answers that have been booked since then. */
  readonly completed: number;
  /** The longest latency in the books. */
  readonly longest: number;
  /** The next number of the workload's random stream, u32. */
  draw(): number;
  /** The same, uniform in [0, 1). */
  uniform(): number;
  /** Opens an endpoint: {@link Client.opened} follows, with the same ticket, and {@link Client.ready}. */
  open(ticket?: number): void;
  /** Sends the endpoint's next message, or messages, which {@link Client.message} tells when its turn has come. */
  ask(endpoint: number): void;
  close(endpoint: number): void;
  /** Says that nothing more will come; {@link Client.ended} follows when the other end has read all and closed. */
  shutdown(endpoint: number): void;
  /** {@link Client.tick} follows after `delay`, for the endpoint where one is meant. */
  after(delay: number, endpoint?: number): void;
  /** Books an answer. */
  complete(latency: number): void;
  /** Books bytes of application data that got through on an endpoint, besides those of answers, and how many messages they make whole. */
  progress(endpoint: number, bytes: number, messages: number): void;
  /** The stream that the endpoint sends its messages on. */
  streamOf(endpoint: number): number;
  /** What the server has received on a stream, where it counts. */
  receivedOn(stream: number): Received;
}

/**
 * The client's side of one workload, called from inside dispatches. Its state is in tables of {@link Runner.store}, and dies with its domain; what is a result of
 * its own is in a table of no scope, as the books are (`analysis/books.ts`). To add a workload: a
 * file beside those in `workloads/clients`, a line in `workloads/clients/registry.ts`, an entry in `design/catalogue/workloads.ts`.
 */
export interface Client {
  /** Messages that it will send each time that it begins; undefined where that is not known beforehand. */
  readonly requests: number | undefined;
  /** Whether it waits now for something that may still get through: as long as nothing does, there is silence. */
  readonly waits: boolean;
  /**
   * Until when it lasted, where that is later than what got through last: until `end` where it is not over, until it lost the last that
   * it waited for, or until its time was over.
   */
  until(end: number): number;
  /** Clients that share the server, each with one endpoint at a time, opened with the client's number for a ticket; without it, one. */
  readonly clients?: number;
  /** The run begins; or begins again, with the state that the client had at first, where its domain has died and runs again. */
  begin(): void;
  /** An endpoint has its number; a connection is not made yet. @param ticket that {@link Runner.open} was called with */
  opened?(endpoint: number, ticket: number): void;
  /** An endpoint is open. */
  ready(endpoint: number): void;
  /** Messages that an endpoint writes in one call (pipelining); without it, one. Of TCP connections only. */
  readonly atOnce?: number;
  /** The message that the endpoint sends now, or none; of those that it writes in one call, number `index` from 0 on. Changes nothing. */
  message(endpoint: number, index: number): Message | undefined;
  /** It is written, and counted in {@link Runner.issued}. */
  sent(endpoint: number, index: number): void;
  /** Whether an answer has been read before: what comes again is a copy that the network made, of it or of its request. Of datagrams only. */
  has?(value: number): boolean;
  /** An answer was read whole. @param value of its message */
  answered?(endpoint: number, value: number): void;
  /** TCP has taken all that was written. */
  taken?(endpoint: number): void;
  /** So many bytes were acknowledged by the other end, since the connection was opened. */
  acknowledged?(endpoint: number, total: number): void;
  tick?(endpoint: number): void;
  /** The other end has closed; without this, it counts as a failure. */
  ended?(endpoint: number): void;
  /** The endpoint failed and is gone. */
  failed?(endpoint: number): void;
  /** There is no endpoint: for want of a port. @param ticket that {@link Runner.open} was called with @param again whether to try again makes sense */
  unopened?(ticket: number, again: boolean): void;
  /** Overrides of what the runner has booked, where the other end knows better; 0 for `last`: nothing has come. @param end of the run so far */
  outcome?(end: number): { readonly completed: number; readonly bytes: number; readonly duplicates: number; readonly last: number; readonly silence: number };
  /** Results by message size. */
  sizes?(): readonly SizeReport[];
}

/** A kind of workload, by the name that a design uses. */
export interface ClientKind {
  /** It sets TCP_NODELAY on its connections. */
  readonly noDelay?: boolean;
  /** @param server options of the server component */
  transport(server: Readonly<Record<string, unknown>>): TransportName;
  create(runner: Runner): Client;
}

/** An option that is a number, or that is not there. */
export function numberOption(runner: Runner, name: string): number {
  return Number(runner.spec.options[name] ?? 0);
}

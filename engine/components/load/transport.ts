import type { Store, Table } from "../../kernel/state";
import type { Schema } from "../../kernel/table";
import type { Received } from "../../workloads/client";
import type { Run } from "./run";

/** How endpoints of one kind are opened, used and closed: the load generator's work, by ops of its own. */
export interface Transport {
  readonly tables: EndpointTables;
  /** @param ticket of {@link Run.opened} */
  open(run: Run, ticket: number): void;
  ask(endpoint: number): void;
  close(endpoint: number): void;
  shutdown(endpoint: number): void;
  begin(op: number, a: number, b: number): void;
  end(op: number, a: number, b: number): void;
  /** The stream that the endpoint sends its messages on. */
  streamOf(endpoint: number): number;
}

/** Tables by endpoint of one transport: each has one of a name, of whoever asks first. */
export class EndpointTables {
  private readonly made = new Map<string, unknown>();

  /** @param noun what the transport's endpoints are @param path of the load generator */
  constructor(private readonly store: Store, private readonly noun: string, private readonly path: string) {}

  /** @param schema the same for all who ask for the name */
  table<const S extends Schema>(name: string, schema: S): Table<S> {
    const known = this.made.get(name) as Table<S> | undefined;
    if (known !== undefined) return known;
    const table = this.store.table(`${name} of ${this.noun} of ${this.path}`, schema);
    this.made.set(name, table);
    return table;
  }
}

/** A server that counts what it receives, by stream. */
export interface Sink {
  receivedOn(stream: number): Received;
}

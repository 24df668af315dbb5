import type { Scope } from "../inspect";
import type { FunctionSource } from "../kernel/kernel";
import type { PlacedModel, Placement } from "../machine/machine";
import { ANY } from "../scheduling/threads";
import { NONE } from "../trace/trace";
import type { Libc, SocketCall } from "./libc";
import type { SocketUser } from "./socketUser";

/** The op by which a server opens its port, first of all. */
export const OPEN = 0;

/** An application that serves a port: what is the same for connections and for datagrams. What it opens, and serves, is its own. */
export abstract class SocketServer implements PlacedModel, SocketUser {
  readonly id: number;
  /** Functions that a request goes through, in order. */
  protected readonly fn: readonly number[];
  protected readonly threads: readonly number[];
  protected libc!: Libc;
  protected user = 0;
  private readonly failed: number;
  private readonly opening;

  /** @param threads names of its threads; the first one opens the port */
  constructor(protected readonly place: Placement, functions: Readonly<Record<string, FunctionSource>>, threads: readonly string[]) {
    const { machine: { kernel, cpus }, domain, spec } = place;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = Object.values(kernel.functions(functions));
    this.failed = kernel.functions({ "bind failed: EADDRINUSE": { kind: "violation", a: "port" } })["bind failed: EADDRINUSE"];
    this.opening = kernel.store.scalars(`port of ${spec.path}`, ["asked"]);
    // A core that polls has its own (IX 3, "elastic threads").
    this.threads = threads.map((name, i) => cpus.addThread(domain.id, name, cpus.polls(domain.id) ? i : ANY));
  }

  protected get port(): number {
    return Number(this.place.spec.options["port"]);
  }

  connect(): void {
    const library = this.place.domain.components.find((c) => c.type === "libc");
    if (library === undefined) throw new Error(`${this.place.spec.path} has no libc to call.`);
    this.libc = this.place.machine.placed(library.path) as Libc;
  }

  start(): void {
    this.user = this.libc.sockets.addUser(this);
    this.open();
  }

  /** Where the stack has died with the server, both of them start, in either order: the port is to be opened once. */
  onRestart(): void {
    this.open();
  }

  private open(): void {
    if (this.opening.asked === 1) return;
    this.opening.asked = 1;
    this.place.machine.cpus.post(this.threads[0]!, this.id, OPEN);
  }

  /** Said in `begin` of {@link OPEN}: a stack that starts anew from now on is another one. */
  protected spendOpen(call: typeof SocketCall.bind | typeof SocketCall.listen): void {
    this.opening.asked = 0;
    this.libc.spend(call);
  }

  /** The port is another's. */
  protected markFailed(): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.failed, this.id, cpus.contextOf(this.threads[0]!), kernel.now, 0, NONE, this.port);
  }

  onAcceptable(_conn: number): void {}
  onEstablished(_conn: number): void {}
  onReadable(_conn: number): void {}
  onWritable(_conn: number): void {}
  onClosed(_conn: number): void {}

  abstract begin(op: number, a: number, b: number): void;
  abstract end(op: number, a: number, b: number): void;

  fire(): void {}

  /** Port and counts. @param counts by what they are called */
  protected describeCounts(counts: Readonly<Record<string, number>>): Scope[] {
    const all = { port: this.port, ...counts };
    return [{ name: "Server", variables: Object.entries(all).map(([name, number]) => ({ name, value: `${number}`, number })) }];
  }
}

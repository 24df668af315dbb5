import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import type { Table } from "../kernel/state";

const PORTS = 65536;
/** First port of the dynamic range (RFC 6335 section 6). */
const DYNAMIC = 49152;

export const Protocol = { tcp: 6, udp: 17 } as const;

/** What the portbind hypercall answers. */
export type BindResult = { readonly port: number } | { readonly error: "EADDRINUSE" | "EINVAL" };

/**
 * The portmap of one network server: which application owns a TCP or UDP port. It is held by the hypervisor, so that it
 * outlives the server, and the server reads it directly, since the pages are mapped into it read-only (LibrettOS 3.2,
 * Figure 5). Entries are application indices, −1 for a free port; TCP and UDP are separate tables.
 */
export class Portmap {
  private readonly entry: Table<{ readonly owner: "i8" }>;
  private readonly counters;
  private readonly mapping;

  /** @param nameOf an application's name, by index */
  constructor(kernel: Kernel, readonly name: string, private readonly nameOf: (application: number) => string) {
    const { store } = kernel;
    this.entry = store.within(undefined, () => store.table(`portmap of ${name}`, { owner: "i8" }, 2 * PORTS, true));
    this.entry.append(2 * PORTS);
    this.entry.owner.fill(-1);
    this.counters = store.within(undefined, () => store.table(`portmap counters of ${name}`, { tcp: "i32", udp: "i32" }, 1));
    this.counters.alloc();
    // What is mapped into the server, and how: as long as the hypervisor does not say otherwise, to read.
    this.mapping = store.within(undefined, () => store.table(`mapping of the portmap of ${name}`, { writable: "u8" }, 1));
    this.mapping.alloc();
  }

  /**
   * The portbind hypercall. The hypervisor knows the caller; a guest cannot name another.
   * @param port 0 asks for the lowest free dynamic port
   */
  bind(application: number, protocol: number, port: number): BindResult {
    if (protocol !== Protocol.tcp && protocol !== Protocol.udp) return { error: "EINVAL" };
    const base = protocol === Protocol.tcp ? 0 : PORTS;
    if (port === 0) {
      for (let candidate = DYNAMIC; candidate < PORTS; candidate++) {
        if (this.entry.owner[base + candidate] === -1) return this.claim(base, application, candidate);
      }
      return { error: "EADDRINUSE" };
    }
    const owner = this.entry.owner[base + port]!;
    if (owner === application) return { port };
    if (owner !== -1) return { error: "EADDRINUSE" };
    return this.claim(base, application, port);
  }

  private claim(base: number, application: number, port: number): BindResult {
    this.entry.owner[base + port] = application;
    if (base === 0) this.counters.tcp[0]!++;
    else this.counters.udp[0]!++;
    return { port };
  }

  /**
   * A write by the network server itself, through its own mapping of the pages. They are mapped to read only (LibrettOS 3.2), so that it faults.
   * @returns whether it was done; where not, nothing has changed
   */
  writeAsServer(protocol: number, port: number, owner: number): boolean {
    if (this.mapping.writable[0] === 0) return false;
    this.entry.owner[(protocol === Protocol.tcp ? 0 : PORTS) + port] = owner;
    return true;
  }

  /** The application gives a port back, which it must own. The prototype's hypercall cannot; without it ports of connections would run out. @returns whether it did */
  unbind(application: number, protocol: number, port: number): boolean {
    if (this.owner(protocol, port) !== application) return false;
    this.free((protocol === Protocol.tcp ? 0 : PORTS) + port);
    return true;
  }

  /** The application is gone: the hypervisor frees its ports. @returns how many it had */
  release(application: number): number {
    let freed = 0;
    for (let i = 0; i < 2 * PORTS; i++) {
      if (this.entry.owner[i] !== application) continue;
      this.free(i);
      freed++;
    }
    return freed;
  }

  private free(entry: number): void {
    this.entry.owner[entry] = -1;
    if (entry < PORTS) this.counters.tcp[0]!--;
    else this.counters.udp[0]!--;
  }

  /** Index of the application that owns the port, or −1. */
  owner(protocol: number, port: number): number {
    if (protocol === Protocol.tcp) return this.entry.owner[port]!;
    if (protocol === Protocol.udp) return this.entry.owner[PORTS + port]!;
    return -1;
  }

  /** The ports that are bound, and by whom; at most 256. */
  describe(): Variable {
    const children: Variable[] = [];
    for (let i = 0; i < 2 * PORTS && children.length < 256; i++) {
      const owner = this.entry.owner[i]!;
      if (owner !== -1) children.push({ name: `${i < PORTS ? "TCP" : "UDP"} ${i % PORTS}`, value: this.nameOf(owner), number: owner });
    }
    return { name: "portmap", value: `${this.counters.tcp[0]!} TCP, ${this.counters.udp[0]!} UDP ports bound`, number: this.counters.tcp[0]!, children };
  }
}

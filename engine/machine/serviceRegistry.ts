import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";

/** Operations of the hypercall `rumprun_service_op` (xen/include/public/_rumprun.h). */
export const ServiceOp = { register: 1, unregister: 2, registerApplication: 3, query: 5, fetch: 6, reconnect: 7 } as const;

/**
 * What the hypervisor keeps about a network server and its applications (`xen/common/rumprun_service.c`): whether a server is
 * there, who has registered with it, and which addresses of the server's pool are taken. It outlives the server, so that a new one finds
 * the applications of the one before.
 */
export class ServiceRegistry {
  private readonly server;
  private readonly application;

  constructor(kernel: Kernel, server: string) {
    const { store } = kernel;
    this.server = store.within(undefined, () => store.table(`service ${server}`, { registered: "u8", generation: "u32" }, 1));
    this.server.alloc();
    this.application = store.within(undefined, () => store.table(`applications of ${server}`, { registered: "u8", waiting: "u8", address: "u32" }));
  }

  /** Makes room for the next application. */
  addApplication(): void {
    this.application.alloc();
  }

  // --- What the server asks -----------------------------------------------------------------------------------------

  /** A server is there from now on: another one than those before. */
  register(): void {
    this.server.registered[0] = 1;
    this.server.generation[0]!++;
  }

  /** The server is gone. */
  unregister(): void {
    this.server.registered[0] = 0;
  }

  /** Applications that a new server must tell that it is there: those that had registered with another, or asked in vain. */
  get expectant(): number[] {
    const { registered, waiting, rows } = this.application;
    return Array.from({ length: rows }, (_, i) => i).filter((i) => registered[i] === 1 || waiting[i] === 1);
  }

  /** An application that needs an address of its own has one of the server's pool, until it is gone ("a pool of available IPs is given to a server", LibrettOS 3.3). */
  takeAddress(application: number, address: number): void {
    this.application.address[application] = address;
  }

  /** Whether an address of the pool is taken. */
  isTaken(address: number): boolean {
    return this.application.address.subarray(0, this.application.rows).includes(address);
  }

  // --- What an application asks -------------------------------------------------------------------------------------

  /** Whether a server is there; where not, the application will hear of the next. */
  query(application: number): boolean {
    const there = this.server.registered[0] === 1;
    this.application.waiting[application] = there ? 0 : 1;
    return there;
  }

  /** Which of the servers, one after the other, is there or was last. */
  get generation(): number {
    return this.server.generation[0]!;
  }

  /** The application has rings for the server of this generation. @returns false where that one is gone */
  registerApplication(application: number, generation: number): boolean {
    if (this.server.registered[0] === 0 || this.generation !== generation) return false;
    this.application.registered[application] = 1;
    return true;
  }

  /** The application is gone, with all connections: its address can be given to another. */
  unregisterApplication(application: number): void {
    const { registered, waiting, address } = this.application;
    registered[application] = waiting[application] = address[application] = 0;
  }

  describe(): Variable {
    const registered = this.application.registered.subarray(0, this.application.rows).reduce((sum, one) => sum + one, 0);
    return {
      name: "registry", value: `${this.server.registered[0] === 1 ? "server registered" : "no server"}, ${registered} applications`, number: registered,
      children: [{ name: "servers so far", value: `${this.generation}`, number: this.generation }],
    };
  }
}

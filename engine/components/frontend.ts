import { sharedThread, type Placement } from "../machine/machine";
import { ServiceOp } from "../machine/serviceRegistry";
import { NONE } from "../trace/trace";
import type { Netserver } from "./netserver";

/** Ops of the VIF that are the frontend's. */
export const FrontendOp = { hello: 20, query: 21, terminate: 22, share: 23, register: 24 } as const;

/**
 * How an application gets its channel to the network server, when it boots and whenever there is a new server (`frontend.c`):
 * it asks the hypervisor for the server, allocates rings and grants them, allocates event channels, registers, and notifies the
 * server, which maps the rings. A new server notifies it in turn; the application then gives up the old rings, with what is in
 * them, and begins again. Sockets and their TCP know nothing of it.
 */
export class Frontend {
  private readonly fn;
  private readonly thread: number;
  private readonly state;
  private server!: Netserver;
  private index = 0;
  /** The port on which a new server says hello. */
  private helloLine = 0;

  /** @param component the VIF's */
  constructor(private readonly place: Placement, private readonly component: number) {
    const { machine, domain, spec } = place;
    this.fn = machine.kernel.functions({
      frontend_init: { file: "platform/hw/xen/frontend.c", kind: "vif" },
      frontend_hello_handler: { file: "platform/hw/xen/frontend.c", kind: "interrupt", tally: "interrupt" },
      frontend_reconnecter: { file: "platform/hw/xen/frontend.c", kind: "vif" },
      frontend_init_ring: { file: "platform/hw/xen/frontend.c", kind: "vif" },
      EVTCHNOP_alloc_unbound: { file: "xen/common/event_channel.c", kind: "hypervisor", tally: "hypercall" },
      rumprun_service_op: { file: "xen/common/rumprun_service.c", kind: "hypervisor", a: "operation", tally: "hypercall" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      "lost with the server": { kind: "drop" },
      "lost with the application": { kind: "drop" },
    });
    this.thread = sharedThread(machine, domain, "frontend_reconnecter", -1);
    this.state = machine.kernel.store.table(`frontend ${spec.path}`, { joined: "u32" }, 1);
    this.state.alloc();
  }

  /** @param index of the application at the server */
  attach(server: Netserver, index: number): void {
    const { machine: { cpus, costs }, domain } = this.place;
    this.server = server;
    this.index = index;
    this.helloLine = cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.component, FrontendOp.hello, 0, costs.latency("event to a vCPU"));
  }

  /** Where a new server tells the application that it is there. */
  get helloPort(): number {
    return this.helloLine;
  }

  /** The domain boots. */
  start(): void {
    this.place.machine.cpus.post(this.thread, this.component, FrontendOp.query);
  }

  /** The domain is gone: so are its rings and what was in them. */
  abandon(): void {
    this.server.registry.unregisterApplication(this.index);
    this.memory.forget();
    this.empty(this.fn["lost with the application"]);
  }

  private get memory() {
    return this.server.memoryOf(this.index);
  }

  /** Gives up the contents of the rings. */
  private empty(why: number): void {
    const { machine: { kernel, cpus } } = this.place;
    const lost = (packet: number): void => kernel.mark(why, this.component, cpus.contextOf(this.thread), kernel.now, 0, packet);
    this.server.toServer(this.index).renew(lost);
    this.server.toApplication(this.index).renew(lost);
  }

  begin(op: number): void {
    const { cpus } = this.place.machine;
    const { fn, memory } = this;
    if (op === FrontendOp.hello) {
      cpus.spend(fn.frontend_hello_handler);
    } else if (op === FrontendOp.terminate) {
      cpus.spend(fn.frontend_reconnecter);
      memory.spendEnd();
    } else if (op === FrontendOp.query) {
      if (this.state.joined[0] === 0) cpus.spend(fn.frontend_init);
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.query);
    } else if (op === FrontendOp.share) {
      cpus.spend(fn.frontend_init_ring);
      memory.spendGrant();
      // One for the rings, one for the next server to say hello on.
      cpus.spend(fn.EVTCHNOP_alloc_unbound);
      cpus.spend(fn.EVTCHNOP_alloc_unbound);
    } else {
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.registerApplication);
      cpus.spend(fn.minios_notify_remote_via_evtchn);
    }
  }

  end(op: number): void {
    const { cpus } = this.place.machine;
    const { state, memory, index } = this;
    const { registry } = this.server;
    const by = { component: this.component, context: cpus.contextOf(this.thread) };
    if (op === FrontendOp.hello) {
      if (state.joined[0] !== registry.generation) cpus.post(this.thread, this.component, memory.granted ? FrontendOp.terminate : FrontendOp.query);
    } else if (op === FrontendOp.terminate) {
      if (!memory.end(by)) return;
      this.empty(this.fn["lost with the server"]);
      this.go(FrontendOp.query);
    } else if (op === FrontendOp.query) {
      if (!registry.query(index) || state.joined[0] === registry.generation) return;
      state.joined[0] = registry.generation;
      this.go(FrontendOp.share);
    } else if (op === FrontendOp.share) {
      if (memory.grant(by)) this.go(FrontendOp.register);
    } else if (registry.registerApplication(index, state.joined[0]!)) {
      cpus.raise(this.server.welcomeLineOf(index));
    } else {
      // The server died while the rings were made for it.
      this.go(FrontendOp.terminate);
    }
  }

  private go(op: number): void {
    this.place.machine.cpus.call(this.thread, this.component, op);
  }
}

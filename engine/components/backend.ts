import type { ChannelGrants } from "../machine/channelGrants";
import { Reader, type FrameRing } from "../machine/frameRing";
import type { Placement } from "../machine/machine";
import { ServiceOp, type ServiceRegistry } from "../machine/serviceRegistry";
import { NONE } from "../trace/trace";
import type { RingReaders } from "./ringReaders";

/** Ops of the network server that are the backend's. */
export const BackendOp = { init: 20, hello: 21, welcome: 22, connect: 23, gone: 24, disconnect: 25 } as const;

/** One channel, as far as connecting it goes. */
export interface Connectable {
  readonly memory: ChannelGrants;
  readonly toServer: FrameRing;
  /** The application's port on which the server says hello. */
  readonly helloPort: () => number;
}

/**
 * How the network server gets its channels (`backend.c`): when it boots it registers with the hypervisor, and notifies the
 * applications that the hypervisor knows of; each of them grants fresh rings and notifies it on a welcome port, and the server
 * maps these and spawns a receiver. It is the same on the first day and after a crash.
 */
export class Backend {
  private readonly fn;
  /** By application: whether its receiver has been spawned. */
  private readonly receiver;
  private readonly goneLines: number[] = [];

  /**
   * @param thread that it runs on
   * @param receivers one for each channel
   * @param connected told of every application whose rings have been mapped @param disconnected and of every one that is gone
   */
  constructor(
    private readonly place: Placement, private readonly component: number, private readonly thread: number,
    private readonly registry: ServiceRegistry, private readonly channels: readonly Connectable[], private readonly receivers: RingReaders,
    private readonly connected: (index: number) => void = () => {}, private readonly disconnected: (index: number) => void = () => {},
  ) {
    const { kernel } = place.machine;
    this.fn = kernel.functions({
      backend_init: { file: "platform/hw/xen/backend.c", kind: "server" },
      backend_welcome_handler: { file: "platform/hw/xen/backend.c", kind: "interrupt", a: "application", tally: "interrupt" },
      backend_connect: { file: "platform/hw/xen/backend.c", kind: "server", a: "application" },
      goneHandler: { name: "application gone", file: "platform/hw/xen/backend.c", kind: "interrupt", a: "application", tally: "interrupt" },
      backend_disconnect: { file: "platform/hw/xen/backend.c", kind: "server", a: "application" },
      EVTCHNOP_bind_interdomain: { file: "xen/common/event_channel.c", kind: "hypervisor", tally: "hypercall" },
      EVTCHNOP_alloc_unbound: { file: "xen/common/event_channel.c", kind: "hypervisor", tally: "hypercall" },
      rumprun_service_op: { file: "xen/common/rumprun_service.c", kind: "hypervisor", a: "operation", tally: "hypercall" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
    });
    this.receiver = kernel.store.table(`receivers of ${place.spec.path}`, { spawned: "u8" });
  }

  /** An application has a place at the server. @returns the server's port on which it is welcomed */
  addChannel(index: number): number {
    const { machine: { cpus, costs }, domain } = this.place;
    const vcpu = cpus.vcpusOf(domain.id)[0]!;
    const latency = costs.latency("event to a vCPU");
    this.receiver.alloc();
    this.registry.addApplication();
    this.goneLines.push(cpus.addLine(vcpu, this.component, BackendOp.gone, index, latency));
    return cpus.addLine(vcpu, this.component, BackendOp.welcome, index, latency);
  }

  /** The domain boots: receivers are yet to be spawned. */
  start(): void {
    for (const { toServer } of this.channels) toServer.readers = Reader.asleep;
    this.place.machine.cpus.post(this.thread, this.component, BackendOp.init);
  }

  /** The server is gone: the hypervisor has unmapped what it had mapped. */
  abandon(): void {
    this.registry.unregister();
    for (const { memory } of this.channels) memory.unmap(true);
  }

  /** The hypervisor tells that an application is gone. */
  applicationDied(index: number): void {
    this.place.machine.cpus.raise(this.goneLines[index]!);
  }

  begin(op: number, index: number): void {
    const { cpus } = this.place.machine;
    const { fn } = this;
    if (op === BackendOp.init) {
      cpus.spend(fn.backend_init);
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.reconnect);
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.register);
    } else if (op === BackendOp.hello) {
      cpus.spend(fn.minios_notify_remote_via_evtchn);
    } else if (op === BackendOp.welcome) {
      cpus.spend(fn.backend_welcome_handler, NONE, index);
    } else if (op === BackendOp.connect) {
      cpus.spend(fn.backend_connect, NONE, index);
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.fetch);
      this.channels[index]!.memory.spendMap();
      cpus.spend(fn.EVTCHNOP_bind_interdomain);
      // The next application, or server, is welcomed on a port of its own.
      cpus.spend(fn.EVTCHNOP_alloc_unbound);
      cpus.spend(fn.rumprun_service_op, NONE, ServiceOp.register);
    } else if (op === BackendOp.gone) {
      cpus.spend(fn.goneHandler, NONE, index);
    } else {
      cpus.spend(fn.backend_disconnect, NONE, index);
      this.channels[index]!.memory.spendUnmap();
    }
  }

  end(op: number, index: number): void {
    const { cpus } = this.place.machine;
    if (op === BackendOp.init) {
      this.registry.register();
      for (const i of this.registry.expectant.reverse()) cpus.call(this.thread, this.component, BackendOp.hello, i);
    } else if (op === BackendOp.hello) {
      cpus.raise(this.channels[index]!.helloPort());
    } else if (op === BackendOp.welcome) {
      cpus.post(this.thread, this.component, BackendOp.connect, index);
    } else if (op === BackendOp.connect) {
      this.connect(index);
    } else if (op === BackendOp.gone) {
      cpus.post(this.thread, this.component, BackendOp.disconnect, index);
    } else if (this.channels[index]!.memory.isStale) {
      this.channels[index]!.memory.unmap();
      this.disconnected(index);
    }
  }

  private connect(index: number): void {
    const { memory } = this.channels[index]!;
    // The application has come back before the server has heard that it was gone.
    if (memory.isStale) memory.unmap();
    if (!memory.granted || memory.connected) return;
    if (!memory.map({ component: this.component, context: this.place.machine.cpus.contextOf(this.thread) })) return;
    this.connected(index);
    if (this.receiver.spawned[index] === 1) return;
    this.receiver.spawned[index] = 1;
    this.receivers.start(index);
  }
}

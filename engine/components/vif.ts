import type { Scope } from "../inspect";
import { Priority } from "../kernel/queue";
import type { ChannelGrants } from "../machine/channelGrants";
import { Reader, SLOT_BYTES, type FrameRing, type Malformed } from "../machine/frameRing";
import type { BindResult } from "../machine/portmap";
import { noOffloads } from "../machine/nic/model";
import { sharedThread, type PlacedModel, type Placement } from "../machine/machine";
import { NONE } from "../trace/trace";
import { consumerAbove } from "./above";
import { Frontend } from "./frontend";
import type { FrameConsumer, NetworkInterface } from "./interface";
import type { Netserver } from "./netserver";
import { INDEX_LINES, ReaderOp, RingReaders } from "./ringReaders";
import { SwitchOp, VifSwitch } from "./vifSwitch";

const Op = { notify: 0, release: 1 } as const;
/**
 * Time from a port's last socket until it is given back, if the ring is empty by then, picoseconds: what TCP sends at the very end, such as a
 * reset, is in the ring long before. A guess, as the prototype gives none back.
 */
const LINGER = 1e9;

/**
 * The application's end of the channel to a network server: a virtual interface whose frames are copied into a ring
 * shared with the server (LibrettOS 3.2, Figure 4; `if_virt.c`, `frontend.c`). The MAC address is that of the server's
 * adapter: the server forwards frames as they are. In direct mode it is very thin: frames are passed to and from a driver
 * of the domain, without a copy, a ring or an event (3.3), and carry the address of the driver's function.
 */
export class Vif implements PlacedModel, NetworkInterface, FrameConsumer {
  readonly id: number;
  readonly component: number;
  /** None, also in direct mode, where a driver that has them is below (`if_virt.c`). */
  readonly offloads = noOffloads;
  private readonly fn;
  private readonly thread: number;
  private readonly frontend: Frontend;
  /** Ports that no socket has any more; protocol 0: a free row. */
  private readonly leaving;
  private server!: Netserver;
  private channel = 0;
  private receiver!: RingReaders;
  private upper!: FrameConsumer;
  /** Which way frames go, and how that changes. */
  readonly uplink: VifSwitch;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = this.component = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions({
      virtif_start: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "vif" },
      frontend_send: { file: "platform/hw/xen/frontend.c", kind: "vif", a: "bytes", tally: "copy" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      frontend_receiver: { file: "platform/hw/xen/frontend.c", kind: "vif" },
      rump_virtif_pktdeliver: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "vif", a: "bytes", tally: "copy" },
      rump_virtif_pktforward_direct: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "vif" },
      rump_virtif_pktdeliver_direct: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "vif" },
      frontend_interrupt_handler: { file: "platform/hw/xen/frontend.c", kind: "interrupt", tally: "interrupt" },
      "poll ring": { name: "frontend_receiver: poll", file: "platform/hw/xen/frontend.c", kind: "vif", a: "polls" },
      announce: { name: "frontend_receiver: about to sleep", file: "platform/hw/xen/frontend.c", kind: "vif" },
      sleep: { name: "frontend_receiver: sleep", file: "platform/hw/xen/frontend.c", kind: "vif" },
      rumprun_port_bind: { file: "xen/common/rumprun_service.c", kind: "hypervisor", tally: "hypercall" },
      "unbind port": { name: "rumprun_port_bind: unbind", file: "xen/common/rumprun_service.c", kind: "hypervisor", a: "port", tally: "hypercall" },
      "port lingers": { kind: "thread", a: "port" },
      "ring to server full": { kind: "drop" },
      "channel not connected": { kind: "drop" },
      "longer than a slot": { kind: "drop" },
    });
    this.thread = sharedThread(machine, domain, "frontend_receiver", -1);
    this.leaving = kernel.store.table(`ports that ${spec.path} gives back`, { protocol: "u8", port: "u16" });
    this.uplink = new VifSwitch(place, this.id);
    this.frontend = new Frontend(place, this.id);
  }

  get mac(): number {
    return (this.uplink.driver ?? this.server).mac;
  }

  /** The application's index at the server. */
  get channelNumber(): number {
    return this.channel;
  }

  private get toServer(): FrameRing {
    return this.server.toServer(this.channel);
  }

  private get toApplication(): FrameRing {
    return this.server.toApplication(this.channel);
  }

  connect(): void {
    const { machine, spec, domain } = this.place;
    const { cpus, costs } = machine;
    this.upper = consumerAbove(this.place);
    this.server = machine.placed(spec.channel ?? "") as Netserver;
    const line = cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, ReaderOp.wake, 0, costs.latency("event to a vCPU"));
    this.channel = this.server.attach(domain, this, line);
    this.frontend.attach(this.server, this.channel);
    const { fn } = this;
    this.receiver = new RingReaders(machine, this.id, {
      poll: fn["poll ring"], announce: fn.announce, sleep: fn.sleep, wake: fn.frontend_interrupt_handler,
      spend: (packet) => {
        cpus.spend(fn.frontend_receiver, packet);
        cpus.spend(fn.rump_virtif_pktdeliver, packet, machine.packets.frameLength(packet));
        this.upper.spendInput(packet);
      },
      accept: (packet) => this.deliver(packet),
    });
    this.receiver.add(this.thread, this.toApplication);
    this.uplink.connect({
      askForAddress: () => {
        if (!this.server.isRunning) return false;
        this.server.addresses.want(this.channel, true);
        cpus.raise(this.server.switchLineOf(this.channel));
        return true;
      },
    });
  }

  start(): void {
    this.toApplication.readers = Reader.asleep;
    this.frontend.start();
  }

  /** The application is gone: its ports are free, its rings are no more. */
  reclaim(): void {
    this.leaving.protocol.fill(0);
    this.server.releasePorts(this.channel);
    this.frontend.abandon();
  }

  /** The port on which a new server says hello. */
  get helloPort(): number {
    return this.frontend.helloPort;
  }

  private get memory(): ChannelGrants {
    return this.server.memoryOf(this.channel);
  }

  /** The server has enqueued a frame. @returns whether the receiver must be notified */
  enqueued(): boolean {
    return this.receiver.enqueued(0);
  }

  spendTransmit(packet: number, bytes: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    const { driver } = this.uplink;
    cpus.spend(this.fn.virtif_start, packet);
    if (driver === undefined) {
      cpus.spendLines(this.toServer.consumer, INDEX_LINES);
      cpus.spend(this.fn.frontend_send, packet, bytes);
    } else {
      cpus.spend(this.fn.rump_virtif_pktforward_direct, packet);
      driver.spendTransmit(packet, bytes);
    }
    cpus.enter(before);
  }

  transmit(packet: number): void {
    this.uplink.count(packet);
    const { driver } = this.uplink;
    if (driver !== undefined) return driver.transmit(packet);
    const { kernel, cpus, packets } = this.place.machine;
    // The rings are the application's own: they fill also while no server reads them.
    const { granted } = this.memory;
    const tooLong = packets.frameLength(packet) > SLOT_BYTES;
    if (!granted || tooLong || !this.toServer.produce(packet)) {
      const why = !granted ? "channel not connected" : tooLong ? "longer than a slot" : "ring to server full";
      kernel.mark(this.fn[why], this.id, cpus.contextOf(this.thread), kernel.now, 0, packet);
      return;
    }
    if (this.server.enqueued(this.channel)) {
      cpus.call(cpus.currentThread === NONE ? this.thread : cpus.currentThread, this.id, Op.notify, packet);
    }
  }

  /** What a malicious application does with the ring that it shares with the server. @param claim index or length that stands in the entry */
  enqueueMalformed(packet: number, malformed: Malformed, claim: number): void {
    const { kernel, cpus } = this.place.machine;
    const sent = this.memory.connected && this.toServer.produceMalformed(packet, malformed, claim);
    if (!sent) kernel.mark(this.fn[this.memory.connected ? "ring to server full" : "channel not connected"], this.id, cpus.contextOf(this.thread), kernel.now, 0, packet);
    else if (this.server.enqueued(this.channel)) cpus.call(cpus.currentThread, this.id, Op.notify, packet);
  }

  spendBindPort(): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.rumprun_port_bind);
    cpus.enter(before);
  }

  /** The portbind hypercall, for static and for dynamic ports (LibrettOS 3.2). */
  bindPort(protocol: number, port: number): BindResult {
    const row = this.leavingRow(protocol, port);
    if (row >= 0) this.leaving.protocol[row] = 0;
    return this.server.bindPort(this.channel, protocol, port);
  }

  /**
   * Who has a port after this application must find that all of its frames have left: "prior users … must have already transmitted all
   * packets to the global medium and closed their connections" (LibrettOS 3.2). So the port goes back when the ring to the server is empty.
   */
  releasePort(protocol: number, port: number): void {
    if (this.leavingRow(protocol, port) >= 0) return;
    const { leaving, place: { machine: { kernel } } } = this;
    let row = 0;
    while (row < leaving.rows && leaving.protocol[row] !== 0) row++;
    if (row === leaving.rows) leaving.alloc();
    leaving.protocol[row] = protocol;
    leaving.port[row] = port;
    kernel.schedule(LINGER, Priority.timeout, this.id, Op.release, row);
  }

  private leavingRow(protocol: number, port: number): number {
    const { leaving } = this;
    for (let row = 0; row < leaving.rows; row++) if (leaving.protocol[row] === protocol && leaving.port[row] === port) return row;
    return NONE;
  }

  private giveBack(row: number): void {
    const { leaving, place: { machine: { kernel } } } = this;
    // A socket may have bound it again meanwhile.
    if (leaving.protocol[row] === 0) return;
    if (this.toServer.count > 0) return void kernel.schedule(LINGER, Priority.timeout, this.id, Op.release, row);
    this.server.unbindPort(this.channel, leaving.protocol[row]!, leaving.port[row]!);
    leaving.protocol[row] = 0;
  }

  /** From a driver below in the same domain: redirected without a copy (LibrettOS 3.3). */
  spendInput(packet: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.rump_virtif_pktdeliver_direct, packet);
    cpus.enter(before);
  }

  input(packet: number): void {
    this.deliver(packet);
  }

  private deliver(packet: number): void {
    this.uplink.countReceived(packet);
    this.upper.input(packet);
  }

  begin(op: number, packet: number): void {
    if (op >= SwitchOp.asked) return this.uplink.begin(op);
    const { cpus } = this.place.machine;
    if (op === Op.notify) {
      cpus.spend(this.fn.minios_notify_remote_via_evtchn, packet);
    } else if (op === Op.release) {
      cpus.spend(this.fn["unbind port"], NONE, this.leaving.port[packet]);
    } else if (op < ReaderOp.take) {
      this.frontend.begin(op);
    } else {
      this.receiver.begin(op, 0);
    }
  }

  end(op: number, row: number): void {
    if (op >= SwitchOp.asked) return this.uplink.end(op);
    if (op === Op.release) return this.giveBack(row);
    const { cpus } = this.place.machine;
    if (op === Op.notify) {
      this.toServer.countNotification();
      // Until the server has bound the port, nobody is there to notify: it looks into the ring when it has.
      if (this.memory.connected) cpus.raise(this.server.lineOf(this.channel));
    } else if (op < ReaderOp.take) {
      this.frontend.end(op);
    } else {
      this.receiver.end(op, 0);
    }
  }

  /** The rest of a switch is over, or the time to look after a port again has come. */
  fire(op: number, row: number): void {
    if (op >= SwitchOp.asked) return this.uplink.fire();
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.fn["port lingers"], this.id, cpus.contextOf(this.thread), kernel.now, 0, NONE, this.leaving.port[row]);
    cpus.post(this.thread, this.id, Op.release, row);
  }

  describe(): Scope[] {
    return [{ name: "VIF", variables: [this.uplink.describe(), this.memory.describe(), this.toServer.describe("tx ring"), this.toApplication.describe("rx ring")] }];
  }
}

import type { Machine, Placement } from "../machine/machine";
import type { Offloads } from "../machine/nic/model";
import { NONE } from "../trace/trace";
import type { FrameConsumer, NetworkInterface } from "./interface";

/** Op of the stack that is about a driver in another domain. */
export const AcrossOp = { transmit: 5 } as const;

/** Where a component sits, seen from another: in the same protection domain, in the kernel below it, or in another process. */
export type Distance = "same" | "kernel" | "process";

export function distance(machine: Machine, from: number, to: number): Distance {
  const { crossings } = machine.cpus;
  const [own, other] = [crossings.spaceOf(from), crossings.spaceOf(to)];
  if (own === other) return "same";
  return crossings.kernelOf(own) === other ? "kernel" : "process";
}

/** Says in `begin` that the kernel below a component does something for it, for which the caller makes a system call. */
export function spendInKernel(machine: Machine, component: number, fn: number, packet: number, bytes = 0): void {
  const { cpus } = machine;
  const before = cpus.enter(cpus.crossings.kernelComponentOf(cpus.crossings.spaceOf(component)));
  cpus.spend(fn, packet, bytes);
  cpus.enter(before);
}

/**
 * A stack's driver in another domain. A frame is a message: copied into the driver's memory, sent by a call of its own,
 * which crosses as the two domains say: a system call into the kernel, a rendezvous with the driver's process.
 */
export class DistantInterface implements NetworkInterface {
  readonly component: number;
  private readonly fn;
  private readonly towards: Distance;

  /** @param stack component whose jobs the calls are @param softint its thread for what nobody's thread asked for */
  constructor(private readonly machine: Machine, private readonly stack: number, private readonly softint: number, private readonly driver: NetworkInterface) {
    const { crossings } = machine.cpus;
    this.component = driver.component;
    this.towards = distance(machine, stack, driver.component);
    this.fn = crossings.functionsOf(crossings.spaceOf(stack));
  }

  get mac(): number {
    return this.driver.mac;
  }

  get offloads(): Offloads {
    return this.driver.offloads;
  }

  spendTransmit(): void {}

  /** The stack's thread makes the call next. A kernel has no thread to wait for its processes with but its own. */
  transmit(packet: number): void {
    const { cpus } = this.machine;
    const { crossings } = cpus;
    const space = crossings.spaceOf(this.stack);
    if (crossings.kernelOf(space) === space) cpus.post(this.softint, this.stack, AcrossOp.transmit, packet);
    else cpus.call(cpus.carrier(this.stack, this.softint), this.stack, AcrossOp.transmit, packet);
  }

  begin(packet: number): void {
    const { machine, fn } = this;
    const { cpus, packets } = machine;
    const bytes = packets.frameLength(packet);
    if (this.towards === "kernel") {
      spendInKernel(machine, this.stack, fn.copyIn, packet, bytes);
    } else {
      const before = cpus.enter(this.driver.component);
      cpus.spend(fn.fetch, packet);
      spendInKernel(machine, this.driver.component, fn.copy, packet, bytes);
      cpus.enter(before);
    }
    this.driver.spendTransmit(packet, bytes);
  }

  end(packet: number): void {
    this.driver.transmit(packet);
  }

  /** Said in `begin` of what takes a frame in: how it gets into the stack's memory. */
  spendReading(packet: number): void {
    const { machine, fn, stack } = this;
    const { crossings } = machine.cpus;
    if (this.towards === "kernel") spendInKernel(machine, stack, fn.copyOut, packet, machine.packets.frameLength(packet));
    else if (crossings.kernelOf(crossings.spaceOf(stack)) !== crossings.spaceOf(stack)) spendInKernel(machine, stack, fn.receive, packet);
  }
}

/** A stack in another domain that sends by a driver, and gets what is for its address. */
export interface DistantStack extends FrameConsumer {
  readonly id: number;
  readonly ip: number;
}

/**
 * What a driver does with frames for stacks in other domains: it finds out whose each is by its destination address, as an
 * exokernel's packet filters do (DPF: Engler and Kaashoek, SIGCOMM 1996), and leaves it in that one's memory or to be fetched.
 */
export class Demultiplexer implements FrameConsumer {
  private readonly fn;
  private readonly dropped: number;

  /** @param own the consumer in the driver's own domain, if there is one: it gets what is nobody else's */
  constructor(private readonly place: Placement, private readonly driver: number, private readonly own: FrameConsumer | undefined, private readonly stacks: readonly DistantStack[]) {
    const { cpus, kernel } = place.machine;
    this.fn = cpus.crossings.functionsOf(cpus.crossings.spaceOf(driver));
    this.dropped = kernel.functions({ "no filter accepts it": { kind: "drop" } })["no filter accepts it"];
  }

  /** Whose filter accepts the frame. That of a process which has ended is gone with its socket. */
  private stackOf(packet: number): DistantStack | undefined {
    const { packets, cpus } = this.place.machine;
    const address = packets.destinationIp(packet);
    return this.stacks.find(({ ip, id }) => ip === address && cpus.isOn(cpus.crossings.spaceOf(id)));
  }

  spendInput(packet: number): void {
    const { machine } = this.place;
    const { cpus, packets } = machine;
    cpus.spend(this.fn.filter, packet);
    const stack = this.stackOf(packet);
    if (stack === undefined) return this.own?.spendInput(packet);
    const { crossings } = cpus;
    const space = crossings.spaceOf(this.driver);
    if (crossings.kernelOf(space) === space) return;
    cpus.spend(this.fn.fetch, packet);
    spendInKernel(machine, this.driver, this.fn.copyOut, packet, packets.frameLength(packet));
    spendInKernel(machine, this.driver, this.fn.message, packet);
  }

  input(packet: number): void {
    const { kernel, cpus } = this.place.machine;
    const consumer = this.stackOf(packet) ?? this.own;
    if (consumer !== undefined) consumer.input(packet);
    // Also of a question to everybody that is for nobody here: `packet_rcv` consumes what its filter does not accept, and counts nothing.
    else kernel.mark(this.dropped, this.driver, cpus.contextOf(cpus.currentThread), kernel.now, 0, packet);
  }
}

/** How a driver in a process learns of an interrupt, and how it has the next one let through: the kernel does both. */
export class InterruptMessages {
  private readonly fn;

  /** @param process the driver's domain */
  constructor(private readonly machine: Machine, private readonly driver: number, process: number) {
    this.fn = machine.cpus.crossings.functionsOf(process);
  }

  spendNotification(): void {
    spendInKernel(this.machine, this.driver, this.fn.notify, NONE);
  }

  spendUnmasking(): void {
    spendInKernel(this.machine, this.driver, this.fn.unmask, NONE);
  }
}

import type { Placement } from "../machine/machine";
import { NONE } from "../trace/trace";
import type { OwnedSockets } from "./ownedSockets";
import { StackPart, type StackLocks } from "./stackLocks";
import { bsdSocketFunctions, stackFunctions } from "./tcpipFunctions";

/** Parts of the stack that a socket call can be in. */
type CallPart = typeof StackPart.call | typeof StackPart.copy | typeof StackPart.filter;

/** What socket calls cost in the stack, and under which lock. All is said in `begin`. */
export class SocketCalls {
  /** What a BSD's calls do under the lock; undefined: Linux, which owns the socket all the while that a call is at it. */
  readonly underLock;
  private readonly fn;
  private readonly cpus;

  /** @param stack component that the functions are of */
  constructor(place: Placement, private readonly stack: number, private readonly locks: StackLocks, private readonly owned: OwnedSockets) {
    const { machine: { kernel, cpus }, domain: { system } } = place;
    this.cpus = cpus;
    this.fn = kernel.functions(stackFunctions[system]);
    this.underLock = system === "rump" ? kernel.functions(bsdSocketFunctions) : undefined;
  }

  /** The way of `bytes` from the application into the send buffer. */
  spendSend(bytes: number, conn: number): void {
    const { cpus } = this;
    const before = cpus.enter(this.stack);
    this.spendLooking("room", conn);
    this.at(StackPart.copy, conn);
    cpus.spend(this.fn.send, NONE, bytes);
    this.at(StackPart.call, conn);
    cpus.spend(this.fn.tcpSend, NONE, bytes);
    this.leave();
    cpus.enter(before);
  }

  /** Copying what can be read to the application, and seeing whether the other end should learn of the room. */
  spendReceive(bytes: number, conn: number): void {
    const { cpus } = this;
    const before = cpus.enter(this.stack);
    this.spendLooking("data", conn);
    this.at(StackPart.copy, conn);
    cpus.spend(this.fn.receive, NONE, bytes);
    this.at(StackPart.call, conn);
    cpus.spend(this.fn.received);
    this.leave();
    cpus.enter(before);
  }

  /** In the stack: a BSD's call finds out whether there is room, or data, before it copies. */
  spendLooking(what: "room" | "data", conn: number): void {
    if (this.underLock === undefined) return;
    this.at(StackPart.call, conn);
    this.cpus.spend(what === "room" ? this.underLock.room : this.underLock.data);
    this.leave();
  }

  /** The part of a call that is at the socket. @param fn one of `underLock` */
  spendPart(part: CallPart, fn: number, conn: number): void {
    const { cpus } = this;
    const before = cpus.enter(this.stack);
    this.at(part, conn);
    cpus.spend(fn);
    this.leave();
    cpus.enter(before);
  }

  /** What a call spends from now on is under the locks of this part. @param conn −1: it is at none, or at a new one */
  at(part: CallPart, conn: number): void {
    this.locks.under(part, this.owned.lockOf(conn));
  }

  /** It is not at the socket any more. */
  leave(): void {
    this.locks.free();
  }
}

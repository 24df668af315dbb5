import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";

/** Entries of a ring of one page: what is left of 4096 bytes after the indices, over the size of an entry, rounded down to a power of two (`__RING_SIZE`, xen/include/public/io/ring.h). */
export const RING_ENTRIES = 256;

/**
 * A ring of requests and responses that two domains share (xen/include/public/io/ring.h, as netif uses it): the frontend puts
 * requests, the backend takes them and puts responses in their place. Four indices stand in the shared page: how far each side
 * has produced, and from where on each wants to be notified. The others are private to their side. All grow without bound, modulo
 * 2³².
 *
 * Who has pushed notifies only if the other side's event index lies among what it has just pushed; who has emptied the ring sets
 * its event index and looks again, so that nothing that comes in between is overlooked.
 */
export class SharedRing {
  private readonly index;
  /** A request or a response: the buffer's id; its grant, in a request; the frame that is in it, where there is one, or −1. */
  private readonly slot;

  constructor(kernel: Kernel, readonly name: string) {
    this.index = kernel.store.table(name, {
      requestProduced: "u32", requestEvent: "u32", responseProduced: "u32", responseEvent: "u32",
      requestPrivate: "u32", responseConsumed: "u32", requestConsumed: "u32", responsePrivate: "u32", notifications: "f64",
    }, 1);
    this.index.alloc();
    this.slot = kernel.store.table(`${name}: entries`, { id: "u16", grant: "i32", packet: "i32" }, RING_ENTRIES);
    this.slot.append(RING_ENTRIES);
    this.reset();
  }

  /** `SHARED_RING_INIT`: both sides want to hear of the first entry. */
  reset(): void {
    const i = this.index;
    i.requestProduced[0] = i.responseProduced[0] = i.requestPrivate[0] = i.responseConsumed[0] = i.requestConsumed[0] = i.responsePrivate[0] = 0;
    i.requestEvent[0] = i.responseEvent[0] = 1;
  }

  // --- The frontend -------------------------------------------------------------------------------------------------

  /** Requests that can be put: entries that are neither a request nor a response that was not taken yet. */
  get room(): number {
    return RING_ENTRIES - ((this.index.requestPrivate[0]! - this.index.responseConsumed[0]!) >>> 0);
  }

  /** The entry that the next request goes into. */
  get nextRequest(): number {
    return entryOf(this.index.requestPrivate[0]!);
  }

  /** Puts a request; it is seen after {@link pushRequests}. @throws Error when there is no room */
  putRequest(id: number, grant: number, packet: number): void {
    if (this.room === 0) throw new Error(`${this.name} is full`);
    this.put(this.index.requestPrivate[0]!++, id, grant, packet);
  }

  /** `RING_PUSH_REQUESTS_AND_CHECK_NOTIFY`. @returns whether the backend asked to be notified of one of them */
  pushRequests(): boolean {
    const i = this.index;
    const before = i.requestProduced[0]!;
    const after = (i.requestProduced[0] = i.requestPrivate[0]!);
    return asked(before, after, i.requestEvent[0]!);
  }

  /** Responses that wait for the frontend. */
  get responses(): number {
    return (this.index.responseProduced[0]! - this.index.responseConsumed[0]!) >>> 0;
  }

  /** The entry of a response that waits, `ahead` of the first. */
  responseAt(ahead: number): number {
    return entryOf(this.index.responseConsumed[0]! + ahead);
  }

  takeResponse(): number {
    return entryOf(this.index.responseConsumed[0]!++);
  }

  /** Sets from which response on the frontend wants to be notified, counted from the last one it has taken. */
  askForResponse(ahead: number): void {
    this.index.responseEvent[0] = this.index.responseConsumed[0]! + ahead;
  }

  /** Requests that no response was taken for yet. */
  get outstanding(): number {
    return (this.index.requestProduced[0]! - this.index.responseConsumed[0]!) >>> 0;
  }

  // --- The backend --------------------------------------------------------------------------------------------------

  /** Requests that wait for the backend. */
  get requests(): number {
    return (this.index.requestProduced[0]! - this.index.requestConsumed[0]!) >>> 0;
  }

  /** The entry of a request that waits, `ahead` of the first. */
  requestAt(ahead: number): number {
    return entryOf(this.index.requestConsumed[0]! + ahead);
  }

  takeRequest(): number {
    return entryOf(this.index.requestConsumed[0]!++);
  }

  /** `RING_FINAL_CHECK_FOR_REQUESTS`: asks to be told of the next request. @returns whether one waits already */
  finalCheckForRequests(): boolean {
    if (this.requests > 0) return true;
    this.index.requestEvent[0] = this.index.requestConsumed[0]! + 1;
    return this.requests > 0;
  }

  /** Puts a response in the place of a request that was taken; it is seen after {@link pushResponses}. @throws Error when none was */
  putResponse(id: number, packet: number): void {
    const i = this.index;
    if (i.responsePrivate[0] === i.requestConsumed[0]) throw new Error(`${this.name}: a response without a request`);
    this.put(i.responsePrivate[0]!++, id, -1, packet);
  }

  /** `RING_PUSH_RESPONSES_AND_CHECK_NOTIFY`. @returns whether the frontend asked to be notified of one of them */
  pushResponses(): boolean {
    const i = this.index;
    const before = i.responseProduced[0]!;
    const after = (i.responseProduced[0] = i.responsePrivate[0]!);
    return asked(before, after, i.responseEvent[0]!);
  }

  // --- Entries ------------------------------------------------------------------------------------------------------

  id(entry: number): number {
    return this.slot.id[entry]!;
  }

  grant(entry: number): number {
    return this.slot.grant[entry]!;
  }

  packet(entry: number): number {
    return this.slot.packet[entry]!;
  }

  countNotification(): void {
    this.index.notifications[0]!++;
  }

  get notifications(): number {
    return this.index.notifications[0]!;
  }

  /** Whether the side that was told of everything up to its event index sleeps on entries that it was not told of: never, if no wake-up is lost. */
  get overlooked(): { readonly requests: boolean; readonly responses: boolean } {
    const i = this.index;
    return {
      requests: this.requests > 0 && ((i.requestEvent[0]! - i.requestProduced[0]!) | 0) > 0,
      responses: this.responses > 0 && ((i.responseEvent[0]! - i.responseProduced[0]!) | 0) > 0,
    };
  }

  /** The indices in the order in which they follow each other around the ring: each at most its successor, and all within its size. */
  get order(): readonly number[] {
    const i = this.index;
    const base = i.responseConsumed[0]!;
    return [i.responseProduced[0]!, i.responsePrivate[0]!, i.requestConsumed[0]!, i.requestProduced[0]!, i.requestPrivate[0]!].map((n) => (n - base) >>> 0);
  }

  describe(name: string): Variable {
    const i = this.index;
    const plain = (label: string, number: number): Variable => ({ name: label, value: `${number}`, number });
    return {
      name, value: `${this.requests} requests and ${this.responses} responses wait, room for ${this.room}`, number: this.requests,
      children: [
        plain("req_prod", i.requestProduced[0]!), plain("req_event", i.requestEvent[0]!), plain("rsp_prod", i.responseProduced[0]!), plain("rsp_event", i.responseEvent[0]!),
        plain("req_cons", i.requestConsumed[0]!), plain("rsp_cons", i.responseConsumed[0]!), plain("notifications", i.notifications[0]!),
      ],
    };
  }

  private put(index: number, id: number, grant: number, packet: number): void {
    const entry = entryOf(index);
    this.slot.id[entry] = id;
    this.slot.grant[entry] = grant;
    this.slot.packet[entry] = packet;
  }
}

function entryOf(index: number): number {
  return index & (RING_ENTRIES - 1);
}

/** Whether `event` lies in (before, after], modulo 2³². */
function asked(before: number, after: number, event: number): boolean {
  return (after - event) >>> 0 < (after - before) >>> 0;
}

import type { System } from "../machine/machine";
import { PAGE_SIZE } from "../machine/memory";
import { RING_ENTRIES } from "../machine/sharedRing";

/** How a system takes frames out of the pages that a guest sends them in. */
export interface TransmitWay {
  /** Requests of one round: one hypercall for all of them. */
  readonly batch: number;
  /** Bytes of a frame that are copied by the hypervisor: what is beyond stays in the guest's page, which is mapped for it. */
  readonly copied: number;
  /** Whether the mapped page is part of the frame until that has been sent; without it, the CPU copies it out at once, and unmaps it. */
  readonly lends: boolean;
}

/**
 * Linux polls 64 requests a round (NAPI_POLL_WEIGHT), copies what headers need, 128 bytes (XEN_NETBACK_TX_COPY_LEN), and maps the rest, until the
 * socket buffer is freed. NetBSD maps a page for each request, copies all of it ("a lot of work is needed in the tcp stack to handle read-only
 * ext storage so always copy for now"), and unmaps it: two hypercalls a frame (`xennetback_evthandler`, before release 10, which copies by hypercall).
 */
export const transmitWays: Readonly<Record<System, TransmitWay>> = {
  linux: { batch: 64, copied: 128, lends: true },
  rump: { batch: 1, copied: 0, lends: false },
};

/** What may wait for a guest. */
export interface ReceiveWay {
  /** Bytes in the backend's own queue from which on it takes no more frames. */
  readonly bytes: number;
  /** Frames that may be there, whatever their lengths. */
  readonly frames: number;
  /** Frames that wait before it while it takes none. */
  readonly before: number;
}

/** The smallest frame: an ARP packet that was not padded. */
const SMALLEST_FRAME = 42;
const LINUX_BYTES = (RING_ENTRIES / 2) * PAGE_SIZE;

/**
 * Linux' interface stops when more bytes than half of the ring's pages are in its queue (`XENVIF_RX_QUEUE_BYTES`, `xenvif_rx_queue_tail`), and the queueing
 * discipline before it then keeps as many frames as the interface says (`tx_queue_len`, XENVIF_QUEUE_LENGTH; `pfifo_fast`), until there are fewer
 * (`xenvif_rx_dequeue`). NetBSD has the interface's queue alone, of frames: `max(ifqmaxlen, NET_TX_RING_SIZE * 2)` (`xennetback_xenbus_create`).
 */
export const receiveWays: Readonly<Record<System, ReceiveWay>> = {
  linux: { bytes: LINUX_BYTES, frames: Math.floor(LINUX_BYTES / SMALLEST_FRAME) + 1, before: 32 },
  rump: { bytes: Infinity, frames: 2 * RING_ENTRIES, before: 0 },
};

const [main, netback, receive] = ["interface.c", "netback.c", "rx.c"].map((file) => `drivers/net/xen-netback/${file}`) as [string, string, string];
const xennetback = "sys/arch/xen/xen/xennetback_xenbus.c";

/** What the backend's functions are called in each system, and where they are. */
export const netbackFunctions = {
  linux: {
    interrupt: { name: "xenvif_interrupt", file: main, kind: "interrupt", tally: "interrupt" },
    poll: { name: "xenvif_poll", file: main, kind: "driver" },
    build: { name: "xenvif_tx_build_gops", file: netback, kind: "driver", a: "requests" },
    copy: { name: "memcpy", file: "arch/x86/lib/memcpy_64.S", kind: "driver", a: "bytes", tally: "copy" },
    submit: { name: "xenvif_tx_submit", file: netback, kind: "driver", a: "bytes" },
    release: { name: "xenvif_tx_dealloc_action", file: netback, kind: "driver", a: "requests" },
    transmit: { name: "xenvif_start_xmit", file: main, kind: "driver" },
    receive: { name: "xenvif_kthread_guest_rx", file: receive, kind: "thread" },
    fill: { name: "xenvif_rx_action", file: receive, kind: "driver", a: "frames" },
    notify: { name: "notify_remote_via_irq", file: "drivers/xen/events/events_base.c", kind: "hypervisor", tally: "notification" },
    changed: { name: "frontend_changed", file: "drivers/net/xen-netback/xenbus.c", kind: "interrupt", tally: "interrupt" },
    connect: { name: "xenvif_connect", file: main, kind: "driver" },
    disconnect: { name: "xenvif_disconnect", file: main, kind: "driver" },
  },
  rump: {
    interrupt: { name: "xennetback_evthandler", file: xennetback, kind: "interrupt", tally: "interrupt" },
    poll: { name: "xennetback_evthandler: request", file: xennetback, kind: "driver" },
    build: { name: "xennetback_evthandler: checks", file: xennetback, kind: "driver", a: "requests" },
    copy: { name: "m_copyback", file: "sys/kern/uipc_mbuf.c", kind: "driver", a: "bytes", tally: "copy" },
    submit: { name: "xennetback_tx_response", file: xennetback, kind: "driver", a: "bytes" },
    release: { name: "xni_pkt_unmap", file: xennetback, kind: "driver", a: "requests" },
    transmit: { name: "xennetback_ifstart", file: xennetback, kind: "driver" },
    receive: { name: "xennetback_ifsoftstart_copy", file: xennetback, kind: "driver" },
    fill: { name: "xennetback_ifsoftstart_copy: frame", file: xennetback, kind: "driver", a: "frames" },
    notify: { name: "hypervisor_notify_via_evtchn", file: "sys/arch/xen/include/hypervisor.h", kind: "hypervisor", tally: "notification" },
    changed: { name: "xennetback_frontend_changed", file: xennetback, kind: "interrupt", tally: "interrupt" },
    connect: { name: "xennetback_connect", file: xennetback, kind: "driver" },
    disconnect: { name: "xennetback_xenbus_destroy", file: xennetback, kind: "driver" },
  },
} as const satisfies Record<System, unknown>;

/** What tells the drivers of adapters apart: a new adapter's driver is an entry here, and a component in `design/catalogue/components.ts`. */
import type { System } from "../machine/machine";
import type { FunctionSource } from "../kernel/kernel";
import { MailboxMessage } from "../machine/nic/mailboxMessages";
import type { RingSizes } from "../machine/nic/model";
import type { Moderation } from "./interruptModeration";

/** Functions that work on frames and interrupts goes through. */
export type DriverFunction = "isr" | "legacyIrq" | "rxeof" | "handOver" | "passOn" | "unmask" | "start" | "clean" | "xmit";
type SetupFunction = `${"PF" | "VF"} ${"stop" | "reset" | "open"}`;
type Functions<Names extends string> = Readonly<Record<Names, FunctionSource & { readonly name: string }>>;

export interface NicDriver {
  readonly functions: Readonly<Record<System, Functions<DriverFunction>>>;
  /** A VF's side of the mailbox. */
  readonly vf: Readonly<Record<System, Functions<"write" | "check" | "delay">>>;
  /** How a PF's driver tells its VFs of its link. */
  readonly ping: FunctionSource & { readonly name: string };
  /** Bringing the interface up and down while the machine runs. */
  readonly setup: Functions<SetupFunction>;
  /** What a VF says to the PF's driver before it sends a frame, in order. */
  readonly greeting: readonly number[];
  /** Whether Linux' driver of the PF gives each CPU a transmit queue of its own (`netif_set_xps_queue`, `ixgbe_configure_tx_ring`). Those of VFs do not. */
  readonly xps: boolean;
  /** Descriptors of its rings. */
  readonly rings: Readonly<Record<System, Readonly<Record<"PF" | "VF", RingSizes>>>>;
  /** How it moderates interrupts where it adapts to the traffic. */
  readonly adaptive: Readonly<Record<System, Moderation>>;
}

const ixgbe: NicDriver = {
  functions: {
    rump: {
      isr: { name: "isr", file: "platform/hw/intr.c", kind: "interrupt", tally: "interrupt" },
      legacyIrq: { name: "ixgbe_legacy_irq", file: "sys/dev/pci/ixgbe/ixgbe.c", kind: "driver" },
      rxeof: { name: "ixgbe_rxeof", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver", a: "bytes" },
      handOver: { name: "if_percpuq_enqueue", file: "sys/net/if.c", kind: "driver" },
      passOn: { name: "tcp_lro_flush", file: "sys/netinet/tcp_lro.c", kind: "driver", a: "bytes" },
      unmask: { name: "ixgbe_enable_intr", file: "sys/dev/pci/ixgbe/ixgbe.c", kind: "driver" },
      start: { name: "ixgbe_mq_start", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver" },
      clean: { name: "ixgbe_txeof", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver", a: "frames" },
      xmit: { name: "ixgbe_xmit", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver", a: "bytes" },
    },
    linux: {
      isr: { name: "ixgbe_msix_clean_rings", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "interrupt", tally: "interrupt" },
      legacyIrq: { name: "ixgbe_poll", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver" },
      rxeof: { name: "ixgbe_clean_rx_irq", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver", a: "bytes" },
      handOver: { name: "napi_gro_receive", file: "net/core/dev.c", kind: "driver" },
      passOn: { name: "napi_gro_complete", file: "net/core/dev.c", kind: "driver", a: "bytes" },
      unmask: { name: "napi_complete_done", file: "net/core/dev.c", kind: "driver" },
      start: { name: "ixgbe_xmit_frame", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver" },
      clean: { name: "ixgbe_clean_tx_irq", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver", a: "frames" },
      xmit: { name: "ixgbe_tx_map", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver", a: "bytes" },
    },
  },
  vf: {
    rump: {
      write: { name: "ixgbe_write_mbx", file: "sys/dev/pci/ixgbe/ixgbe_mbx.c", kind: "driver", a: "message" },
      check: { name: "ixgbe_check_for_msg", file: "sys/dev/pci/ixgbe/ixgbe_mbx.c", kind: "driver", a: "polls" },
      delay: { name: "usec_delay", file: "sys/dev/pci/ixgbe/ixgbe_mbx.c", kind: "thread", a: "polls" },
    },
    linux: {
      write: { name: "ixgbevf_write_mbx", file: "drivers/net/ethernet/intel/ixgbevf/mbx.c", kind: "driver", a: "message" },
      check: { name: "ixgbevf_check_for_msg", file: "drivers/net/ethernet/intel/ixgbevf/mbx.c", kind: "driver", a: "polls" },
      delay: { name: "udelay", file: "drivers/net/ethernet/intel/ixgbevf/mbx.c", kind: "thread", a: "polls" },
    },
  },
  ping: { name: "ixgbe_ping_all_vfs", file: "sys/dev/pci/ixgbe/if_sriov.c", kind: "driver", a: "VFs" },
  setup: {
    "PF stop": { name: "ixgbe_stop_adapter_generic", file: "sys/dev/pci/ixgbe/ixgbe_common.c", kind: "driver" },
    "VF stop": { name: "ixgbe_stop_adapter_vf", file: "sys/dev/pci/ixgbe/ixgbe_vf.c", kind: "driver" },
    "PF reset": { name: "ixgbe_reset_hw_82599", file: "sys/dev/pci/ixgbe/ixgbe_82599.c", kind: "driver" },
    "VF reset": { name: "ixgbe_reset_hw_vf", file: "sys/dev/pci/ixgbe/ixgbe_vf.c", kind: "driver" },
    "PF open": { name: "ixgbe_init_locked", file: "sys/dev/pci/ixgbe/ixgbe.c", kind: "driver" },
    "VF open": { name: "ixv_init_locked", file: "sys/dev/pci/ixgbe/ixv.c", kind: "driver" },
  },
  greeting: [MailboxMessage.reset, MailboxMessage.apiVersion, MailboxMessage.getQueues, MailboxMessage.setMaxFrame],
  xps: true,
  // NetBSD: PERFORM_TXD and PERFORM_RXD (`ixgbe.h`), which `ixgbe.c` and `ixv.c` take. Linux: IXGBE_DEFAULT_TXD and _RXD (`ixgbe.h`, pages of 4 KB), and
  // IXGBEVF_DEFAULT_TXD and _RXD (`ixgbevf.h`).
  rings: {
    rump: { PF: { transmit: 2048, receive: 2048 }, VF: { transmit: 2048, receive: 2048 } },
    linux: { PF: { transmit: 512, receive: 512 }, VF: { transmit: 1024, receive: 512 } },
  },
  adaptive: { rump: "netbsd", linux: "linux" },
};

/** Linux' igb and igbvf. There is no NetBSD driver of the VFs; the checks refuse the component in a domain of that system. */
const igbFunctions: Functions<DriverFunction> = {
  isr: { name: "igb_msix_ring", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "interrupt", tally: "interrupt" },
  legacyIrq: { name: "igb_poll", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver" },
  rxeof: { name: "igb_clean_rx_irq", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver", a: "bytes" },
  handOver: { name: "napi_gro_receive", file: "net/core/dev.c", kind: "driver" },
  passOn: { name: "napi_gro_complete", file: "net/core/dev.c", kind: "driver", a: "bytes" },
  unmask: { name: "napi_complete_done", file: "net/core/dev.c", kind: "driver" },
  start: { name: "igb_xmit_frame", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver" },
  clean: { name: "igb_clean_tx_irq", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver", a: "frames" },
  xmit: { name: "igb_tx_map", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver", a: "bytes" },
};
const igbvfMailbox: NicDriver["vf"][System] = {
  write: { name: "e1000_write_mbx_vf", file: "drivers/net/ethernet/intel/igbvf/mbx.c", kind: "driver", a: "message" },
  check: { name: "e1000_check_for_msg_vf", file: "drivers/net/ethernet/intel/igbvf/mbx.c", kind: "driver", a: "polls" },
  delay: { name: "udelay", file: "drivers/net/ethernet/intel/igbvf/mbx.c", kind: "thread", a: "polls" },
};
/** IGB_DEFAULT_TXD and _RXD (`igb.h`), IGBVF_DEFAULT_TXD and _RXD (`igbvf.h`). */
const igbRings: NicDriver["rings"][System] = { PF: { transmit: 256, receive: 256 }, VF: { transmit: 256, receive: 256 } };
const igb: NicDriver = {
  functions: { rump: igbFunctions, linux: igbFunctions },
  vf: { rump: igbvfMailbox, linux: igbvfMailbox },
  ping: { name: "igb_ping_all_vfs", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver", a: "VFs" },
  setup: {
    "PF stop": { name: "igb_down", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver" },
    "VF stop": { name: "igbvf_down", file: "drivers/net/ethernet/intel/igbvf/netdev.c", kind: "driver" },
    "PF reset": { name: "igb_reset", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver" },
    "VF reset": { name: "igbvf_reset", file: "drivers/net/ethernet/intel/igbvf/netdev.c", kind: "driver" },
    "PF open": { name: "igb_configure", file: "drivers/net/ethernet/intel/igb/igb_main.c", kind: "driver" },
    "VF open": { name: "igbvf_configure", file: "drivers/net/ethernet/intel/igbvf/netdev.c", kind: "driver" },
  },
  greeting: [MailboxMessage.reset, MailboxMessage.setMaxFrame],
  xps: false,
  rings: { rump: igbRings, linux: igbRings },
  adaptive: { rump: "igb", linux: "igb" },
};

/**
 * Descriptors of rings that are polled. With DPDK the application says how many; its examples have these since 2018 (`examples/l2fwd/main.c`: RX_DESC_DEFAULT, TX_DESC_DEFAULT).
 * IX has 512 to receive and, by version, 1024 to 4096 to send (`inc/ix/ethqueue.h`).
 */
const polledRings: RingSizes = { transmit: 1024, receive: 1024 };

export function ringsOf(driver: NicDriver, system: System, isPhysical: boolean, isPolled: boolean): RingSizes {
  return isPolled ? polledRings : driver.rings[system][isPhysical ? "PF" : "VF"];
}

/** Drivers by the type of their component. */
export const nicDrivers: Readonly<Record<string, NicDriver>> = { ixgbe, igb };

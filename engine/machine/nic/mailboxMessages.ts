/** First words of messages (DPDK `ixgbe_mbx.h`); an answer repeats the message's with a flag. */
export const MailboxMessage = { reset: 1, setMac: 2, setMulticast: 3, setVlan: 4, setMaxFrame: 5, setMacvlan: 6, apiVersion: 8, getQueues: 9 } as const;
/** What the PF's driver says by itself, to tell its VFs of its link (DPDK `ixgbe_mbx.h`: IXGBE_PF_CONTROL_MSG). */
export const CONTROL_MESSAGE = 0x0100;
export const MailboxFlag = { ack: 0x8000_0000, nack: 0x4000_0000, clearToSend: 0x2000_0000 } as const;
/** Versions of the interface between VF and PF drivers, as they go over the wire: 1.0 and 1.1. */
export const MailboxApi = { v10: 0, v11: 2 } as const;

/** In the first word of SET_VLAN: into the VLAN, not out of it (Linux `ixgbevf_set_vfta_vf`). */
export const VLAN_ADD = 1 << 16;

/** Words 1 and 2 of a message that carries an address. */
export function macWords(mac: number): [number, number] {
  return [Math.floor(mac / 0x10000), (mac % 0x10000) * 0x10000];
}

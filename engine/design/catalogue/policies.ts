/** Policies of switching, as data. What they decide is in engine/policy. */
import type { KeySpec } from "../vocabulary";

/** A policy that decides when applications switch between server and direct access; its decisions are engine/policy's. */
export interface PolicyType {
  readonly kind: string;
  readonly title: string;
  readonly doc: string;
  readonly options: readonly KeySpec[];
}

const SWITCHED: KeySpec = { name: "switch", doc: "The domain whose uplink it switches.", value: { kind: "reference", to: "switchable-domain" }, required: true };

/** Longer than a switch (67 to 130 ms in this model, 56 to 69 ms in LibrettOS 5.5) and a retransmission timeout (200 ms at least in Linux and NetBSD). */
const WINDOW: KeySpec = { name: "window", doc: "Time over which the load is measured. A window that a switch lies in, or the silence after it, does not count.", value: { kind: "time", min: 1e6, max: 3600e12, default: 500e9 } };
/** A second: the retransmission timeout of a peer that has measured no round trip yet, or whose first retransmission was lost too (RFC 6298, 2). */
const DWELL: KeySpec = { name: "dwell", doc: "Shortest time from the end of a switch to the decision for the next.", value: { kind: "time", min: 0, max: 3600e12, default: 1e12 } };

export const POLICIES: readonly PolicyType[] = [
  {
    kind: "load", title: "Load threshold",
    doc: "Direct access while an application carries much, the network server while it carries little; between the two thresholds it stays where it is.",
    options: [
      SWITCHED,
      { name: "above", doc: "Bits a second, both directions together, from which it goes direct.", value: { kind: "rate", min: 1, max: 400e9 }, required: true },
      { name: "below", doc: "Bits a second under which it goes back to the server; at most “above”.", value: { kind: "rate", min: 0, max: 400e9 }, required: true },
      WINDOW,
      DWELL,
    ],
  },
  {
    kind: "packet-rate", title: "Packet-rate threshold",
    doc: "As “load”, by frames a second: what small frames cost does not show in bits.",
    options: [
      SWITCHED,
      { name: "above", doc: "Frames a second, both directions together, from which it goes direct.", value: { kind: "integer", min: 1, max: 1e9 }, required: true },
      { name: "below", doc: "Frames a second under which it goes back to the server; at most “above”.", value: { kind: "integer", min: 0, max: 1e9 }, required: true },
      WINDOW,
      DWELL,
    ],
  },
  {
    kind: "vf-scarcity", title: "VF scarcity",
    doc: "Fewer VFs than applications: the busiest hold them. An application that has none takes over the VF of one that carries clearly less.",
    options: [
      { name: "among", doc: "The domains that compete, such as [a, b, c]; the driver of each names a device, not a function.", value: { kind: "references", to: "switchable-domain" }, required: true },
      { name: "period", doc: "Time between two decisions, over which the load is measured.", value: { kind: "time", min: 1e6, max: 3600e12, default: 50e9 } },
      { name: "advantage", doc: "How much more an application must carry than the one whose VF it takes: 25% or 0.25.", value: { kind: "fraction", default: 0.25 } },
    ],
  },
];

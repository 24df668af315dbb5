/** Faults, and what links do to frames, as data. What they do to a machine is in engine/machine/faults. */
import type { KeySpec, ReferenceKind, ValueSpec } from "../vocabulary";

/** What a link does to frames; also what a fault can change for a while. */
export const LINK_CONDITIONS: readonly KeySpec[] = [
  { name: "loss", doc: "Probability that a frame is lost, each direction: 1% or 0.01. Bit errors on the wire count here: the frame check sequence tells of them.", value: { kind: "fraction", default: 0 } },
  { name: "corrupt", doc: "Probability that one bit of a frame's IPv4 packet is flipped in a device on the way, which sends it on with a good frame check sequence: only IP's and TCP's checksums can tell.", value: { kind: "fraction", default: 0 } },
  { name: "duplicate", doc: "Probability that a frame arrives twice.", value: { kind: "fraction", default: 0 } },
  { name: "reorder", doc: "Probability that a frame is held back, so that later ones overtake it.", value: { kind: "fraction", default: 0 } },
  { name: "reorder-by", doc: "How long a frame is held back that is to be overtaken.", value: { kind: "time", min: 0, max: 2e12, default: 50e6 } },
];

function withoutDefault(value: ValueSpec): ValueSpec {
  if (!("default" in value)) return value;
  const { default: _default, ...rest } = value;
  return rest;
}

export interface FaultType {
  /** The key whose value is the target. */
  readonly kind: string;
  readonly doc: string;
  /** What its target may be; a domain or a component where that is not said. */
  readonly target?: ReferenceKind;
  readonly options: readonly KeySpec[];
}

/** The key that names what a fault strikes. */
export function faultTarget({ kind, doc, target = "domain-or-component" }: FaultType): KeySpec {
  return { name: kind, doc, value: { kind: "reference", to: target }, required: true };
}

const RESTART: KeySpec = {
  name: "restart", doc: "How long it takes until the domain runs again, with fresh state; at least what its devices take to reset. Without it, never.",
  value: { kind: "time", min: 0, max: 3600e12 },
};

export const FAULTS: readonly FaultType[] = [
  {
    kind: "crash", target: "domain-or-host",
    doc: "The domain stops at once and loses its state; of a component: the domain that it is in, as nothing isolates it there; of a host or its hypervisor: all domains, with what the hypervisor held for them.",
    options: [RESTART],
  },
  {
    kind: "hang", target: "domain-or-host",
    doc: "The domain makes no progress and burns what CPU time it gets; of a component: the next work that comes to a function of it, its own or a neighbour’s that calls it, does not end there, and holds its vCPU.",
    options: [
      { name: "watchdog", doc: "The domain must show that each of its vCPUs still does something within this time, or it is killed. Without it, nobody notices.", value: { kind: "time", min: 1e6, max: 3600e12 } },
      RESTART,
    ],
  },
  {
    kind: "forge", doc: "The domain turns malicious: it sends what is not its own, enqueues ring entries that are none, or reaches for memory that is not its own.",
    options: [
      {
        name: "what", doc: "What it forges.", required: true,
        value: {
          kind: "choice",
          choices: [
            { value: "mac", doc: "Source MAC address of frames." },
            { value: "vlan", doc: "VLAN tag of frames, by a domain with a driver." },
            { value: "ip", doc: "Source IP address of frames." },
            { value: "port", doc: "Source port of frames." },
            { value: "index", doc: "Ring entries that name a slot that is none." },
            { value: "length", doc: "Ring entries with a frame longer than a slot." },
            { value: "dma", doc: "Descriptors whose data is in memory that is not its own." },
            { value: "portmap", doc: "Entries of the portmap, in the network server’s domain." },
          ],
        },
      },
      { name: "count", doc: "How often.", value: { kind: "integer", min: 1, max: 1e6, default: 10 } },
      { name: "interval", doc: "Time between two attempts.", value: { kind: "time", min: 0, max: 3600e12, default: 10e6 } },
    ],
  },
  {
    kind: "degrade", doc: "The link does to frames what is said here, and otherwise what its own section says.", target: "link",
    options: [
      ...LINK_CONDITIONS.map(({ name, doc, value }): KeySpec => ({ name, doc, value: withoutDefault(value) })),
      { name: "for", doc: "How long. Without it, to the end.", value: { kind: "time", min: 1, max: 3600e12 } },
    ],
  },
  // Last: “restart” is an option of those above.
  {
    kind: "restart", target: "domain-or-host", doc: "A planned restart of the domain, or of that of the component, or of the host: an upgrade. What has died before is started.",
    options: [{ name: "takes", doc: "How long it takes until the domain runs again, with fresh state.", value: { kind: "time", min: 0, max: 3600e12 }, required: true }],
  },
];

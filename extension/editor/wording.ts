import { componentType } from "../../engine/design/catalogue/components";
import { deviceModel } from "../../engine/design/catalogue/devices";
import type { Component, Domain, DomainKind, OptionValue } from "../../engine/design/model";
import { formatQuantity, type Quantity } from "../../engine/design/units";
import type { Detail } from "../../protocol/diagram";

/** Localises a message and fills `{0}` …; `vscode.l10n.t`, handed in so that the view model is computed without an editor. */
export type Translate = (message: string, ...values: (string | number)[]) => string;

/** As a figure prints it: `2 µs`, `10 Gb/s`, `8 KiB`, with a no-break space. */
export function readable(kind: Quantity, value: number): string {
  return formatQuantity(kind, value)
    .replace(/^([\d.]+)/, "$1\u00a0")
    .replace("us", "µs")
    .replace(/bps$/, "b/s");
}

export function domainKindName(kind: DomainKind, t: Translate): string {
  switch (kind) {
    case "vm": return t("VM");
    case "kernel": return t("kernel");
    case "process": return t("process");
    case "driver-domain": return t("driver domain");
    case "picoprocess": return t("picoprocess");
    case "enclave": return t("enclave");
    case "accelerator": return t("accelerator");
  }
}

const COMPONENT_ICONS: Readonly<Record<string, string>> = {
  "http-server": "globe", "key-value-store": "key", memcached: "database", compute: "pulse", "load-generator": "pulse", libc: "library", tcpip: "layers",
  netserver: "server-process", vif: "plug", ixgbe: "chip", igb: "chip", netback: "server-process", bridge: "git-merge", nat: "arrow-swap", netfront: "plug",
};

const LAYER_ICONS: Readonly<Record<string, string>> = {
  application: "terminal-linux", library: "library", protocol: "layers", server: "server-process", interface: "plug",
};

/** The codicon of a component: its own, else its layer's, else the one of an extension. */
export function componentIcon(type: string): string {
  return COMPONENT_ICONS[type] ?? LAYER_ICONS[componentType(type)?.layer ?? ""] ?? "extensions";
}

const DOMAIN_ICONS: Readonly<Record<DomainKind, string>> = {
  vm: "vm", kernel: "gear", process: "terminal-linux", "driver-domain": "server-process", picoprocess: "package",
  enclave: "lock", accelerator: "chip",
};

export function domainIcon(kind: DomainKind): string {
  return DOMAIN_ICONS[kind];
}

/** The component's options, with units, as the hover lists them; references are drawn as edges instead. */
export function optionDetails(component: Component): Detail[] {
  const specs = componentType(component.type)?.options ?? [];
  return Object.entries(component.options).flatMap(([name, value]) => {
    const kind = specs.find((spec) => spec.name === name)?.value.kind;
    return kind === "reference" || name === "id" ? [] : [{ label: name, value: optionText(kind, value) }];
  });
}

/** Entries of a list of arrivals that a hover shows. */
const SHOWN_ARRIVALS = 4;

export function optionText(kind: string | undefined, value: OptionValue): string {
  if (typeof value === "number" && (kind === "size" || kind === "time" || kind === "rate")) return readable(kind, value);
  if (kind === "arrivals" && Array.isArray(value)) {
    const first = value.slice(0, SHOWN_ARRIVALS).map((item: OptionValue) => (Array.isArray(item) ? `${readable("time", Number(item[0]))} ${readable("size", Number(item[1]))}` : ""));
    return first.join(", ") + (value.length > SHOWN_ARRIVALS ? ", …" : "");
  }
  return Array.isArray(value) ? value.join(", ") : String(value);
}

export function componentTitle(type: string): string {
  return componentType(type)?.title ?? type;
}

export function deviceTitle(model: string): string {
  return deviceModel(model)?.title ?? model;
}

export function domainDetails(domain: Domain, t: Translate): Detail[] {
  if (domain.kind === "process") return domain.kernel === undefined ? [] : [{ label: t("kernel"), value: domain.kernel }];
  const details = [
    { label: t("vCPUs"), value: String(domain.vcpus) },
    { label: t("weight"), value: String(domain.weight) },
    { label: t("idle vCPU"), value: domain.idle === "spin" ? t("spins") : t("halts") },
  ];
  if (domain.cap > 0) details.push({ label: t("cap"), value: t("{0} % of a pCPU", domain.cap) });
  if (domain.affinity.length > 0) details.push({ label: t("pCPUs"), value: domain.affinity.join(", ") });
  return details;
}

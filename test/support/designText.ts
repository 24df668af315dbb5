/** Design texts for tests: small, with places to vary. */

export interface ServerParts {
  /** Lines below the domains, as `name: [components]`. */
  readonly domains: Readonly<Record<string, readonly string[]>>;
  readonly vfs?: number;
  readonly iommu?: string;
  readonly hypervisor?: string | null;
}

/** A design with one server, `domains` on it and a client, in block style. */
export function designText({ domains, vfs = 2, iommu = "on", hypervisor = "{ model: xen }" }: ServerParts, rest = ""): string {
  const lines = [
    "exoscope: 1",
    "hosts:",
    "  server:",
    "    cpu: { cores: 4 }",
    `    iommu: ${iommu}`,
    "    devices:",
    `      nic0: { model: intel-82599, sriov: { vfs: ${vfs} } }`,
    ...(hypervisor === null ? [] : [`    hypervisor: ${hypervisor}`]),
    "    domains:",
    ...Object.entries(domains).flatMap(([name, components]) => [`      ${name}:`, "        components:", ...components.map((c) => `          - ${c}`)]),
    "  client: { model: load-generator, link: { to: server.nic0 } }",
  ];
  return `${lines.join("\n")}\n${rest}`;
}

/** A text with one part marked by « and ». */
export function marked(text: string): { text: string; range: { start: number; end: number } } {
  const start = text.indexOf("«");
  const end = text.indexOf("»") - 1;
  return { text: text.replace("«", "").replace("»", ""), range: { start, end } };
}

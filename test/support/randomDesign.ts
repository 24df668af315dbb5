/** Random designs in random formatting: what people's editors and habits make of one and the same design. */
import fc from "fast-check";

/** How a text is laid out. None of it changes what the design means. */
export interface Style {
  readonly newline: "\n" | "\r\n";
  readonly indent: 2 | 3 | 4;
  /** Whether `-` stands deeper than its key. */
  readonly listsIndented: boolean;
  readonly comments: boolean;
  readonly blankLines: boolean;
  readonly endsWithNewline: boolean;
}

export type Quotes = "" | '"' | "'";

/** How one interface line is written. */
export interface InterfaceStyle {
  readonly form: "flow" | "tight" | "block" | "block with comment" | "empty lines within";
  readonly quotes: Quotes;
  readonly keyQuotes: Quotes;
  readonly typeQuotes: Quotes;
  readonly full: boolean;
  readonly slashes: boolean;
  readonly comment: boolean;
  readonly id: boolean;
}

export interface RandomDomain {
  /** VF number, or undefined for the network server. */
  readonly vf: number | undefined;
  readonly look: InterfaceStyle;
  /** Both interfaces listed in `uplinks`, in this order. */
  readonly both: "vif first" | "ixgbe first" | undefined;
  readonly listInFlow: boolean;
  readonly extra: boolean;
}

export interface RandomDesign {
  readonly text: string;
  readonly domains: readonly RandomDomain[];
  readonly vfs: number;
}

const quotes = fc.constantFrom<Quotes>("", "", '"', "'");
const style: fc.Arbitrary<Style> = fc.record({
  newline: fc.constantFrom("\n", "\r\n"), indent: fc.constantFrom(2, 3, 4), listsIndented: fc.boolean(), comments: fc.boolean(), blankLines: fc.boolean(), endsWithNewline: fc.boolean(),
});
const look: fc.Arbitrary<InterfaceStyle> = fc.record({
  form: fc.constantFrom("flow", "tight", "block", "block with comment", "empty lines within"),
  quotes, keyQuotes: quotes, typeQuotes: quotes, full: fc.boolean(), slashes: fc.boolean(), comment: fc.boolean(), id: fc.boolean(),
});
const domain = fc.record({
  direct: fc.boolean(), look, both: fc.constantFrom(undefined, undefined, "vif first", "ixgbe first"), listInFlow: fc.boolean(), extra: fc.boolean(),
});

/** One to five applications on a server with a network server and up to six VFs, each with a VF of its own or none. */
export const randomDesign: fc.Arbitrary<RandomDesign> = fc.tuple(style, fc.array(domain, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 2 })).map(([s, drafts, spare]) => {
  let vf = 0;
  const domains = drafts.map(({ direct, both, ...rest }): RandomDomain => ({ ...rest, both, vf: direct || both !== undefined ? vf++ : undefined }));
  return { text: write(s, domains, vf + spare), domains, vfs: vf + spare };
});

function write(s: Style, domains: readonly RandomDomain[], vfs: number): string {
  const lines: string[] = [];
  const line = (depth: number, text: string, comment = "") => {
    if (s.blankLines && lines.length % 5 === 3) lines.push("");
    if (s.comments && lines.length % 7 === 2) lines.push(`${" ".repeat((depth * s.indent * 3) % 11)}# about this: { not: [yaml] }`);
    lines.push(" ".repeat(depth * s.indent) + text + (comment && `   # ${comment}`));
  };
  line(0, "exoscope: 1", s.comments ? "the format" : "");
  line(0, "hosts:");
  line(1, "server:");
  line(2, "iommu: on");
  line(2, `devices: { nic0: { model: intel-82599, sriov: { vfs: ${vfs} } } }`);
  line(2, "hypervisor: {}");
  line(2, "domains:");
  line(3, "netsrv: { components: [ netserver, ixgbe: { bind: nic0.pf } ] }");
  domains.forEach((d, i) => writeDomain(line, s, d, i));
  line(1, "client: { model: load-generator, link: { to: server.nic0 } }");
  line(0, "run: { seed: 7 }");
  return lines.join(s.newline) + (s.endsWithNewline ? s.newline : "");
}

function writeDomain(line: (depth: number, text: string, comment?: string) => void, s: Style, d: RandomDomain, index: number): void {
  line(3, `app${index}:`);
  line(4, "vcpus: 1");
  if (d.extra) line(4, "x-owner: 'someone: else'");
  const application = `http-server: { port: ${8000 + index} }`;
  const names = d.both === undefined ? [d.vf === undefined ? "vif" : "ixgbe"] : d.both === "vif first" ? ["vif", "ixgbe"] : ["ixgbe", "vif"];
  if (d.listInFlow) {
    const items = [application, "libc", "tcpip", ...names.map((name) => interfaceLines(d.both === undefined ? d.look : PLAIN, name, d.vf, true)[0])];
    line(4, `components: [ ${items.join(", ")} ]`, d.look.comment ? "all in one line" : "");
  } else {
    line(4, "components:");
    const depth = s.listsIndented ? 5 : 4;
    for (const item of [application, "libc", "tcpip"]) line(depth, `- ${item}`);
    for (const name of names) {
      const [head = "", ...rest] = interfaceLines(d.look, name, d.vf, false);
      line(depth, `- ${head}`, d.look.comment ? "the uplink" : "");
      for (const text of rest) line(depth + 2, text.trimStart() === "" ? "" : text);
    }
  }
  if (d.both !== undefined) line(4, `uplinks: { tcpip: [${names.join(", ")}], active: ${names[0]} }`);
}

const PLAIN: InterfaceStyle = { form: "flow", quotes: "", keyQuotes: "", typeQuotes: "", full: false, slashes: false, comment: false, id: false };

function interfaceLines(look: InterfaceStyle, name: string, vf: number | undefined, flow: boolean): string[] {
  const separator = look.slashes ? "/" : ".";
  const path = [...(look.full ? ["server"] : []), ...(name === "vif" ? ["netsrv", "netserver"] : ["nic0", `vf${vf}`])].join(separator);
  const quoted = (text: string, q: Quotes) => q + text + q;
  const type = quoted(name, look.typeQuotes);
  const option = `${quoted(name === "vif" ? "channel" : "bind", look.keyQuotes)}: ${quoted(path, look.quotes)}`;
  const id = look.id ? [`id: ${name}`] : [];
  if (flow || look.form === "flow") return [`${type}: { ${[...id, option].join(", ")} }`];
  if (look.form === "tight") return [`${type}: {${[option, ...id].join(",")}}`];
  if (look.form === "block") return [`${type}:`, ...id, option];
  if (look.form === "block with comment") return [`${type}:`, "# where it goes", `${option} # here`, ...id];
  return [`${type}:`, "", option, "", ...id];
}

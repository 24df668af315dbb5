/** Processes and their kernels, and what the components of one call in another: a C library its stack, a stack its driver. */
import type { ComponentDraft, DesignDraft, DomainDraft, HostDraft } from "./draft";
import type { Domain } from "./model";
import { References } from "./references";
import { optionRange } from "./resolve";
import type { Source } from "./section";
import { SYSTEMS } from "./vocabulary";

/** Keys that say something of vCPUs: a process has none. */
const OF_VCPUS = ["vcpus", "weight", "cap", "affinity", "idle"] as const;

/** What calls cross domains: who calls, by which option, and what the callee has to be. */
const CALLS = [
  { caller: "libc", option: "stack", isCallee: ({ part }: ComponentDraft) => part.type === "tcpip" },
  { caller: "tcpip", option: "driver", isCallee: ({ part }: ComponentDraft) => part.bind !== undefined },
] as const;

/** Finds every process' kernel, every domain's system, and the callees of other domains. */
export function resolveProcesses(source: Source, draft: DesignDraft): void {
  const references = new References(source, draft.hosts, draft.links);
  for (const host of draft.hosts) {
    for (const domain of host.domains) {
      domain.part.kernel = kernelOf(source, references, host, domain);
      // Its threads run on the kernel's.
      if (domain.part.kind === "process") domain.part.vcpus = 0;
    }
    for (const { part, section } of host.domains) {
      part.system ??= systemOf(host, part);
      if (section.has("net-mpsafe") && (part.kind === "vm" || part.kind === "process" || part.system !== "netbsd")) {
        source.problems.warning("no-effect", section.valueRange("net-mpsafe"), `${part.path} is no kernel of NetBSD's: “net-mpsafe” has no effect.`);
      }
    }
    for (const domain of host.domains) for (const component of domain.components) resolveCallee(source, references, host, domain, component);
  }
}

function systemOf(host: HostDraft, { kind, kernel }: Domain): Domain["system"] {
  if (kind === "process") return host.domains.find(({ part }) => part.path === kernel)?.part.system ?? SYSTEMS[0].value;
  return kind === "kernel" || kind === "driver-domain" ? "linux" : "netbsd";
}

function kernelOf({ problems }: Source, references: References, host: HostDraft, { part, section }: DomainDraft): string | undefined {
  if (part.kind !== "process") {
    if (section.has("kernel")) problems.warning("no-effect", section.valueRange("kernel"), `Only a process has a kernel; ${part.path} is of the kind “${part.kind}”.`);
    return undefined;
  }
  for (const key of OF_VCPUS) {
    if (section.has(key)) problems.warning("no-effect", section.valueRange(key), `A process has threads, not vCPUs: “${key}” has no effect. Set it for its kernel.`);
  }
  const kernels = host.domains.filter((d) => d.part.kind === "kernel").map((d) => d.part.path);
  if (section.has("kernel")) {
    const path = references.follow(section, "kernel", "kernel", host.part.path);
    if (path === undefined || kernels.includes(path)) return path;
    problems.error("wrong-reference", section.valueRange("kernel"), `${path} is a domain of another kind. ${references.demand("kernel", host.part.path)}`);
    return undefined;
  }
  const [only, ...others] = kernels;
  if (only === undefined || others.length > 0) {
    const why = only === undefined ? `${host.part.path} has no kernel that it could run on. Add a domain of the kind “kernel”.` : `${host.part.path} has several kernels. Say which with “kernel”, such as kernel: ${only.slice(host.part.path.length + 1)}.`;
    problems.error("process-without-kernel", section.has("kind") ? section.valueRange("kind") : part.nameRange, `${part.path} is a process, and ${why}`);
    return undefined;
  }
  return only;
}

/** In its own domain, a component finds what it calls by itself; else where its option says, else in its kernel. */
function resolveCallee({ problems }: Source, references: References, host: HostDraft, domain: DomainDraft, component: ComponentDraft): void {
  const call = CALLS.find(({ caller }) => caller === component.part.type);
  if (!call) return;
  if (component.section.has(call.option)) {
    const path = references.follow(component.section, call.option, call.option, host.part.path);
    const owner = host.domains.find(({ components }) => components.some(({ part }) => part.path === path));
    const callee = owner?.components.find(({ part }) => part.path === path);
    if (!owner || !callee) return;
    const range = optionRange(component, call.option);
    if (!call.isCallee(callee)) problems.error("wrong-reference", range, `${callee.part.path} is a component of the type ${callee.part.type}. ${references.demand(call.option, host.part.path)}`);
    else if (owner !== domain && !canCall(domain.part, owner.part)) {
      problems.error("cannot-call", range, `${domain.part.path} cannot call ${owner.part.path}: a process calls its kernel and the other processes of that kernel, a kernel its processes. Between virtual machines there are channels and network servers.`);
    } else if (owner !== domain) component.part.below = callee.part.path;
    return;
  }
  const own = component.part.type === "libc" ? domain.components.some(({ part }) => part.type === "tcpip") : domain.part.uplinks.length > 0;
  const kernel = host.domains.find(({ part }) => part.path === domain.part.kernel);
  if (!own) component.part.below = kernel?.components.find((c) => call.isCallee(c))?.part.path;
}

function canCall(caller: Domain, callee: Domain): boolean {
  if (caller.kind === "process") return callee.path === caller.kernel || (callee.kind === "process" && callee.kernel === caller.kernel);
  return callee.kind === "process" && callee.kernel === caller.path;
}

/** The stack that the sockets of a domain are in: its own, or the one that its C library calls. */
export function stackOf(host: { readonly domains: readonly Domain[] }, domain: Domain): Domain["components"][number] | undefined {
  const own = domain.components.find(({ type }) => type === "tcpip");
  if (own) return own;
  const below = domain.components.find(({ type }) => type === "libc")?.below;
  return host.domains.flatMap(({ components }) => components).find(({ path }) => path === below);
}

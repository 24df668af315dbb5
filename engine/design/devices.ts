/** What follows from the model of a device: the rate of its link, and which driver is its. */
import { layoutFor, nicModels, queuePairsOf } from "../machine/nic/model";
import { deviceModel, isDriver, type DeviceModel } from "./catalogue/devices";
import type { ComponentDraft, DeviceDraft, DomainDraft, HostDraft, LinkDraft } from "./draft";
import type { Domain } from "./model";
import { replacement } from "./problems";
import { optionRange } from "./resolve";
import type { Section, Source } from "./section";
import { deviceOf } from "./switchable";
import { formatQuantity } from "./units";

/** A link runs at the least of its own rate and of those of the adapters at its ends, as autonegotiation finds it. */
export function setRate({ problems }: Source, link: LinkDraft["part"], section: Section, device: DeviceDraft, client: DeviceDraft | undefined): void {
  const written = section.has("rate") ? section.number("rate") : Infinity;
  const models = [device, ...(client ? [client] : [])].flatMap(({ part }) => deviceModel(part.model) ?? []);
  const slowest = models.reduce<DeviceModel | undefined>((least, model) => (least !== undefined && least.rate <= model.rate ? least : model), undefined);
  link.rate = Math.min(written, slowest?.rate ?? written);
  if (slowest === undefined || written === Infinity || written <= slowest.rate) return;
  const rate = formatQuantity("rate", slowest.rate);
  const range = section.valueRange("rate");
  problems.warning("link-rate", range, `The ${slowest.title} of ${device.part.path} sends no faster than ${rate}, and so does this link. Set “rate: ${rate}”, or leave it out.`, replacement(`Change to ${rate}`, range, rate));
}

/** Whether the system of a domain has a driver of the device. */
export function hasDriver({ systems }: DeviceModel, { system }: Pick<Domain, "system">): boolean {
  return systems === undefined || (system !== undefined && systems.includes(system));
}

export function noDriver({ title, systems }: DeviceModel, { path }: Pick<Domain, "path">): string {
  return `The functions in ${path} are NetBSD’s, which has no driver of the ${title}. Set “system: ${systems?.[0] ?? "linux"}” for it, or bind a function of another device.`;
}

/** A function is driven by the driver of its device. */
export function checkDriver({ problems }: Source, host: HostDraft, { part: domain }: DomainDraft, component: ComponentDraft): void {
  const { bind, type, nameRange } = component.part;
  const device = host.devices.find(({ part }) => bind !== undefined && part.path === deviceOf(bind));
  const model = device && deviceModel(device.part.model);
  if (device === undefined || model === undefined || !isDriver(type)) return;
  if (model.driver !== type) {
    problems.error("wrong-driver", nameRange, `${device.part.path} is an ${model.title}, whose driver is ${model.driver}. Write “${model.driver}” in place of “${type}”.`, replacement(`Change to “${model.driver}”`, nameRange, model.driver));
  } else if (!hasDriver(model, domain)) problems.error("wrong-driver", optionRange(component, "bind"), noDriver(model, domain));
}

/** Whether a driver wants more than one queue of a function of the device: its queues are divided so that RSS works in each pool. */
export function isMultiqueue(domains: readonly Pick<Domain, "components">[], device: string): boolean {
  return domains.some(({ components }) => components.some(({ bind, options }) => bind !== undefined && deviceOf(bind) === device && Number(options["queues"] ?? 1) > 1));
}

/** A driver gets as many queue pairs as it is said to, or hears how many. */
export function checkQueues({ problems }: Source, host: HostDraft, { part: domain }: DomainDraft, component: ComponentDraft): void {
  const { bind, options, type } = component.part;
  const device = host.devices.find(({ part }) => bind !== undefined && part.path === deviceOf(bind))?.part;
  const model = device && nicModels[device.model];
  const wanted = Number(options["queues"] ?? 1);
  if (bind === undefined || device === undefined || model === undefined || !isDriver(type) || wanted === 1) return;
  const domains = host.domains.map(({ part }) => part);
  const vcpus = domains.find(({ path }) => path === domain.kernel)?.vcpus ?? domain.vcpus;
  const layout = device.vfs === 0 ? undefined : layoutFor(model, device.vfs, isMultiqueue(domains, device.path));
  const isPhysical = device.functions[0]?.path === bind;
  const count = queuePairsOf(model, layout, isPhysical, Math.min(wanted, vcpus));
  if (count >= wanted) return;
  const range = host.part.kind === "load-generator" ? host.section.valueRange("queues") : optionRange(component, "queues");
  const why = queuePairsOf(model, layout, isPhysical, wanted) > count ? `${domain.path} has ${vcpus === 1 ? "one vCPU" : `${vcpus} vCPUs`}, and each queue pair has one of its own`
    : layout === undefined ? `RSS of ${device.path} spreads over ${count} at most`
    : `the queues of ${device.path} are divided into ${layout.pools} pools, in each of which RSS spreads over ${layout.queues}${isPhysical ? "" : `, and a VF has ${model.vectors.vf} vectors`}: it is a power of two`;
  problems.warning("no-effect", range, `${component.part.path} gets ${count === 1 ? "one queue pair" : `${count} queue pairs`}: ${why}. Set “queues: ${count}”.`, component.part.optionRanges.has("queues") || host.section.has("queues") ? replacement(`Change to ${count}`, range, String(count)) : undefined);
}

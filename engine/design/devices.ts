/** What follows from the model of a device: the rate of its link, and which driver is its. */
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

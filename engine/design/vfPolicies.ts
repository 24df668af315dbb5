/** What the driver of a PF lets its VFs do, and what their own drivers may ask of it. */
import { parseMac } from "../network/addresses";
import type { ComponentDraft, HostDraft } from "./draft";
import type { VfPolicy } from "./model";
import { optionRange } from "./resolve";
import { Section } from "./section";
import type { Source } from "./section";
import { deviceOf } from "./switchable";
import { SECTIONS } from "./vocabulary";
import type { Entry } from "./yamlText";

/** The policies of a device's VFs, in their order. @param entries those that the file spells */
export function readPolicies(source: Source, entries: readonly Entry[], device: string, vfs: number): VfPolicy[] {
  const { noun, keys } = SECTIONS.vf;
  const read = (section: Section): VfPolicy => ({ vlan: section.number("vlan"), antiSpoof: section.flag("anti-spoof"), allowSetMac: section.flag("allow-set-mac") });
  const usual = read(new Section(source, noun, keys, undefined, { start: 0, end: 0 }));
  const policies = Array.from({ length: vfs }, () => usual);
  for (const { key, keyRange, value } of entries) {
    const policy = read(new Section(source, noun, keys, value, keyRange));
    const vf = /^vf(0|[1-9][0-9]{0,4})$/.exec(key);
    if (vf !== null && Number(vf[1]) < vfs) policies[Number(vf[1])] = policy;
    else source.problems.error("vf-missing", keyRange, `“${key}” is no VF of ${device}, which has ${vfs === 0 ? "none" : vfs === 1 ? "one, vf0" : `${vfs}, vf0 to vf${vfs - 1}`}. Name one of them, or raise “vfs”.`);
  }
  return policies;
}

/** What a driver wants of its function, and may not get. */
export function checkWishes({ problems }: Source, host: HostDraft, component: ComponentDraft): void {
  const { bind, options } = component.part;
  const { mac, vlan } = options;
  if (typeof mac === "string") {
    const address = parseMac(mac);
    if (address === undefined || Math.floor(address / 0x100_0000_0000) % 2 === 1) {
      problems.error("bad-address", optionRange(component, "mac"), "This must be an Ethernet address of one interface, such as 02:00:00:00:01:00: six octets, the first of which is even.");
      return;
    }
  }
  const device = host.devices.find(({ part }) => bind !== undefined && part.path === deviceOf(bind))?.part;
  const vf = device?.functions.findIndex(({ path }) => path === bind) ?? -1;
  const policy = vf > 0 ? device?.policies[vf - 1] : undefined;
  if (device === undefined || policy === undefined) return;
  const name = `vf${vf - 1}`;
  if (mac !== undefined && !policy.allowSetMac) {
    problems.warning("vf-refuses", optionRange(component, "mac"), `The driver of ${device.path}.pf refuses the address, and the VF keeps its own. Set “policies: { ${name}: { allow-set-mac: on } }” in “sriov” of ${device.id}.`);
  }
  if (vlan !== undefined && policy.vlan !== 0) {
    problems.warning("vf-refuses", optionRange(component, "vlan"), `${name} of ${device.path} is in the VLAN ${policy.vlan} by its policy, so that the driver of the PF refuses it another, and no frame with a tag reaches it. Leave out one of the two.`);
  }
}

import { componentType } from "../../engine/design/catalogue/components";
import { canMoveUplink, uplinkTarget } from "../../engine/design/edit";
import type { Design, Domain, Host } from "../../engine/design/model";
import type { MoveTarget } from "../../protocol/diagram";
import type { Translate } from "./wording";

/** An uplink in use, with the domain whose it is. */
export interface Uplink {
  readonly path: string;
  readonly domain: Domain;
  readonly host: Host;
}

/** The uplinks that a user can move: those in use by domains that end the transport protocol themselves. */
export function movableUplinks(design: Design): Uplink[] {
  return design.hosts.filter((host) => host.kind === "machine").flatMap((host) =>
    host.domains.flatMap((domain) => {
      const ends = domain.components.some((component) => componentType(component.type)?.layer === "protocol");
      return ends && domain.activeUplink !== undefined ? [{ path: domain.activeUplink, domain, host }] : [];
    }));
}

/** Every place of the uplink's host that could be meant, each with the reason why it cannot be used, if there is one. */
export function moveTargets(design: Design, uplink: Uplink, t: Translate): MoveTarget[] {
  const { host, domain } = uplink;
  const now = uplinkTarget(domain);
  const target = (path: string, label: string): MoveTarget =>
    ({ path, label, refusal: canMoveUplink(design, domain.path, path)?.message, current: path === now });
  const servers = host.domains.filter((other) => other !== domain).flatMap((other) =>
    other.components.filter((component) => componentType(component.type)?.layer === "server")
      .map((component) => target(component.path, t("{0} in {1}", component.id, other.id))));
  const devices = host.devices.flatMap((device) => [
    ...device.functions.map((pciFunction) => target(pciFunction.path, t("{0} of {1}", pciFunction.id, device.id))),
    // The device as a whole means its first free VF.
    target(device.path, t("a free VF of {0}", device.id)),
  ]);
  return [...servers, ...devices];
}

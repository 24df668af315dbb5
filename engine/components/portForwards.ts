import type { Component, Domain } from "../design/model";
import { Protocol } from "../network/packets";
import type { SwitchPort } from "./frameSwitch";

/** Ports that are chosen from where a guest's own is taken (`nf_nat_l4proto_unique_tuple`: unprivileged ones). */
export const FIRST_PORT = 1024;
export const PORTS = 65536;

/** A port of a router's address that leads to a guest's server. */
export interface PortForward {
  readonly protocol: number;
  readonly outside: number;
  readonly inside: number;
  readonly guest: number;
}

/** Every server of a guest that `forward` names, or all, by its own port, or the next free one where that is taken. */
export function portForwards({ options }: Component, guests: readonly SwitchPort[], domains: readonly Domain[]): readonly PortForward[] {
  const wanted = options["forward"] as readonly number[] | undefined;
  const rules: PortForward[] = [];
  guests.forEach(({ path }, guest) => {
    for (const server of domains.find((d) => d.path === path)?.components ?? []) {
      const inside = server.options["port"];
      if (typeof inside !== "number" || wanted?.includes(inside) === false) continue;
      const protocol = server.options["protocol"] === "udp" ? Protocol.udp : Protocol.tcp;
      let outside = inside;
      while (rules.some((r) => r.protocol === protocol && r.outside === outside)) outside = outside === PORTS - 1 ? FIRST_PORT : outside + 1;
      rules.push({ protocol, outside, inside, guest });
    }
  });
  return rules;
}

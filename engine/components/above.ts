import type { Placement } from "../machine/machine";
import type { FrameConsumer } from "./interface";

const consumers: readonly string[] = ["tcpip", "netserver", "vif", "bridge", "nat"];

/** What an interface hands its frames to: the nearest component above it in its domain that takes frames. */
export function consumerAbove(place: Placement): FrameConsumer {
  const { components, switchable } = place.domain;
  // What its driver receives passes through the VIF, which the sockets are bound to (LibrettOS 3.3).
  if (switchable?.drivers.includes(place.spec) === true) return place.machine.placed(switchable.vif.path) as unknown as FrameConsumer;
  const here = components.findIndex((c) => c.path === place.spec.path);
  const own = place.spec.type;
  for (let i = here - 1; i >= 0; i--) {
    const { type, path } = components[i]!;
    if (consumers.includes(type) && type !== own) return place.machine.placed(path) as unknown as FrameConsumer;
  }
  throw new Error(`${place.spec.path} has nothing above it that takes frames.`);
}

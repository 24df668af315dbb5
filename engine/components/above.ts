import { FRAME_TAKERS } from "../design/catalogue/components";
import type { PlacedModel, Placement } from "../machine/machine";
import { Demultiplexer, type DistantStack } from "./across";
import type { FrameConsumer } from "./interface";

/** What an interface hands its frames to: the nearest component above it in its domain that takes frames, and stacks elsewhere that send by it. */
export function consumerAbove(place: Placement): FrameConsumer {
  const { machine, spec } = place;
  const stacks = machine.design.hosts.flatMap((host) => host.domains).flatMap((domain) => domain.components)
    .filter((c) => c.below === spec.path).map((c) => machine.placed(c.path) as PlacedModel & DistantStack);
  const own = ownConsumer(place);
  if (stacks.length > 0) return new Demultiplexer(place, machine.placed(spec.path).id, own, stacks);
  if (own === undefined) throw new Error(`${spec.path} has nothing above it that takes frames.`);
  return own;
}

function ownConsumer(place: Placement): FrameConsumer | undefined {
  const { components, switchable } = place.domain;
  // What its driver receives passes through the VIF, which the sockets are bound to (LibrettOS 3.3).
  if (switchable?.drivers.includes(place.spec) === true) return place.machine.placed(switchable.vif.path) as unknown as FrameConsumer;
  const here = components.findIndex((c) => c.path === place.spec.path);
  const own = place.spec.type;
  for (let i = here - 1; i >= 0; i--) {
    const { type, path } = components[i]!;
    if (FRAME_TAKERS.includes(type) && type !== own) return place.machine.placed(path) as unknown as FrameConsumer;
  }
  return undefined;
}

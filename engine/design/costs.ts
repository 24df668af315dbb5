/** Reads the costs that a design sets in place of its profile's. */
import { isMap } from "yaml";
import { profileCosts } from "../profiles/profile";
import type { CostOverride } from "./model";
import { replacement } from "./problems";
import { subsection } from "./hosts";
import { readScalar, Section, type Source } from "./section";
import { closest } from "./spelling";
import { SECTIONS, type ScalarSpec } from "./vocabulary";

/** @param profile the cost profile's name; what it does not know is no cost of this machine */
export function readCosts(source: Source, root: Section, profile: string): Map<string, CostOverride> {
  const costs = new Map<string, CostOverride>();
  const known = profileCosts(profile);
  for (const entry of subsection(source, root, "costs", "costs").others) {
    if (!known.has(entry.key)) {
      const near = closest(entry.key, [...known.keys()]);
      source.problems.warning(
        "unknown-key", entry.keyRange, `The profile has no cost “${entry.key}”${near === undefined ? "" : `. Did you mean “${near}”?`}`,
        near === undefined ? undefined : replacement(`Change to “${near}”`, entry.keyRange, near),
      );
    } else if (isMap(entry.value)) {
      const section = new Section(source, SECTIONS.cost.noun, SECTIONS.cost.keys, entry.value, entry.valueRange);
      costs.set(entry.key, { call: section.has("call") ? section.number("call") : undefined, byte: section.has("byte") ? section.number("byte") : undefined });
    } else {
      const call = readScalar(source, CALL, entry);
      if (typeof call === "number") costs.set(entry.key, { call, byte: undefined });
    }
  }
  return costs;
}

const CALL = SECTIONS.cost.keys.find(({ name }) => name === "call")!.value as ScalarSpec;

import { designOf } from "./runDesign";
import { createEngine } from "../../engine/create";

/** What the page that compares fingerprints runs: a design's text in, its fingerprint out. */
(globalThis as unknown as { fingerprintOf(text: string): string }).fingerprintOf = (text) => {
  const engine = createEngine(designOf(text));
  while (engine.dispatch());
  return engine.fingerprint();
};

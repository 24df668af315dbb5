import { designOf } from "./runDesign";
import { createEngine } from "../../engine/create";

/** What the page that compares fingerprints runs: a design's text and its files in, its fingerprint out. */
(globalThis as unknown as { fingerprintOf(text: string, files: Record<string, string>): string }).fingerprintOf = (text, files) => {
  const engine = createEngine(designOf(text, files));
  while (engine.dispatch());
  return engine.fingerprint();
};

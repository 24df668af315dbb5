import type { Decision, Sample, SwitchPolicy } from "./policy";

/**
 * Direct access from a threshold on, the server below another; in between an application stays where it is, so that a load near a
 * threshold does not make it go back and forth. What it switched to it keeps for a while, as switching itself costs it traffic.
 * @param dwell picoseconds from the end of one switch to the earliest decision for the next
 */
export function threshold(measure: "bits" | "frames", above: number, below: number, dwell: number): SwitchPolicy {
  const goesDirect = (sample: Sample): boolean => sample.mode === "server" && sample[measure] >= above;
  const goesBack = (sample: Sample): boolean => sample.mode === "direct" && sample[measure] < below;
  return (samples) => samples.flatMap((sample, application): Decision[] => {
    if (sample.dwelt < dwell) return [];
    return goesDirect(sample) ? [{ application, to: "direct" }] : goesBack(sample) ? [{ application, to: "server" }] : [];
  });
}

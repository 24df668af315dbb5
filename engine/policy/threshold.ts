import type { Sample, SwitchPolicy } from "./policy";

/**
 * Direct access from a threshold on, the server below another; in between an application stays where it is, so that a load near a
 * threshold does not make it go back and forth. What it switched to it keeps for a while, as switching itself costs it traffic.
 * @param dwell picoseconds from the end of one switch to the earliest decision for the next
 */
export function threshold(measure: "bits" | "frames", above: number, below: number, dwell: number): SwitchPolicy {
  const wanted = (sample: Sample): Sample["mode"] => (sample[measure] >= above ? "direct" : sample[measure] < below ? "server" : sample.mode);
  return (samples) => samples.flatMap((sample, application) => {
    const to = wanted(sample);
    return sample.mode === "switching" || to === "switching" || to === sample.mode || sample.dwelt < dwell ? [] : [{ application, to }];
  });
}

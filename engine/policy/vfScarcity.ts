import type { Decision, Sample, SwitchPolicy } from "./policy";

/**
 * Fewer functions than applications: the busiest have them. A free function goes to the busiest application that has none and
 * carries anything; where none is free, the one that carries least gives its function up for one that carries clearly more. Then
 * the function is free at a later decision, after its reset.
 * @param advantage share by which the other must carry more: what keeps two of the same load from taking turns
 */
export function vfScarcity(advantage: number): SwitchPolicy {
  return (samples, free) => {
    const inMode = (mode: Sample["mode"]): number[] => samples.flatMap((sample, i) => (sample.mode === mode ? [i] : []));
    // Of equal loads the first counts as the busier.
    const byLoad = (a: number, b: number): number => samples[b]!.bits - samples[a]!.bits || a - b;
    const waiting = inMode("server").filter((i) => samples[i]!.bits > 0).sort(byLoad);
    if (free > 0) return waiting.slice(0, free).map((application): Decision => ({ application, to: "direct" }));
    const least = inMode("direct").sort(byLoad).at(-1);
    const busiest = waiting[0];
    if (least === undefined || busiest === undefined || inMode("switching").length > 0) return [];
    return samples[busiest]!.bits > samples[least]!.bits * (1 + advantage) ? [{ application: least, to: "server" }] : [];
  };
}

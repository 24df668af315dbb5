import type { Decision, Sample, SwitchPolicy } from "./policy";

/**
 * Fewer functions than applications: the busiest have them. A free function goes to the busiest application that has none and
 * carries anything; where none is free that it can drive, the one that carries least gives its function up for one that carries clearly more. Then
 * the function is free at a later decision, after its reset.
 * @param advantage share by which the other must carry more: what keeps two of the same load from taking turns
 */
export function vfScarcity(advantage: number): SwitchPolicy {
  return (samples) => {
    const inMode = (mode: Sample["mode"]): number[] => samples.flatMap((sample, i) => (sample.mode === mode ? [i] : []));
    // Of equal loads the first counts as the busier.
    const byLoad = (a: number, b: number): number => samples[b]!.bits - samples[a]!.bits || a - b;
    const waiting = inMode("server").filter((i) => samples[i]!.bits > 0).sort(byLoad);
    const taken = new Set<string>();
    const served = waiting.filter((i) => {
      const one = samples[i]!.free.find((f) => !taken.has(f));
      if (one !== undefined) taken.add(one);
      return one !== undefined;
    });
    if (served.length > 0) return served.map((application): Decision => ({ application, to: "direct" }));
    if (inMode("switching").length > 0) return [];
    for (const busiest of waiting) {
      const { bits, suitable } = samples[busiest]!;
      const least = inMode("direct").filter((i) => suitable.includes(samples[i]!.has ?? "")).sort(byLoad).at(-1);
      if (least !== undefined && bits > samples[least]!.bits * (1 + advantage)) return [{ application: least, to: "server" }];
    }
    return [];
  };
}

import { scaleLinear } from "d3-scale";

const UNITS: readonly { readonly name: string; readonly size: number }[] = [
  { name: "ps", size: 1 }, { name: "ns", size: 1e3 }, { name: "µs", size: 1e6 }, { name: "ms", size: 1e9 }, { name: "s", size: 1e12 },
];
/** Longest number that a tick shows in full; longer ones are shown relative to the ruler's left end. */
const MAX_DECIMALS = 6;

function unitOf(time: number): { readonly name: string; readonly size: number } {
  let unit = UNITS[0]!;
  for (const u of UNITS) if (Math.abs(time) >= u.size) unit = u;
  return unit;
}

/** A length of time with four significant digits: `1.25 µs`. */
export function formatDuration(time: number): string {
  if (time === 0) return "0 ns";
  const unit = unitOf(time);
  return `${Number((time / unit.size).toPrecision(4))} ${unit.name}`;
}

/** An instant, to the nanosecond where it is below a second: `12.345678 ms`. */
export function formatTime(time: number): string {
  if (time === 0) return "0 ns";
  const unit = unitOf(time);
  const decimals = unit.size <= 1e3 ? 3 : Math.round(Math.log10(unit.size)) - 3;
  return `${(time / unit.size).toFixed(decimals)} ${unit.name}`;
}

export interface Ruler {
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
  /** What labels that begin with `+` count from; empty where ticks are absolute. */
  readonly base: string;
}

/** Ticks at round times, about one every `spacing` pixels, in the unit that fits. */
export function ruler(from: number, to: number, width: number, spacing: number): Ruler {
  const scale = scaleLinear().domain([from, to]).range([0, width]);
  const times = scale.ticks(Math.max(1, Math.floor(width / spacing)));
  const step = times.length > 1 ? times[1]! - times[0]! : to - from;
  const unit = unitOf(to);
  const decimals = decimalsFor(step, unit.size);
  if (decimals <= MAX_DECIMALS) {
    return { base: "", ticks: times.map((t) => ({ x: scale(t), label: `${(t / unit.size).toFixed(decimals)} ${unit.name}` })) };
  }
  const origin = times[0] ?? from;
  const near = unitOf(step * 10);
  const nearDecimals = decimalsFor(step, near.size);
  return {
    base: formatTime(origin),
    ticks: times.map((t, k) => ({ x: scale(t), label: k === 0 ? formatTime(origin) : `+${((t - origin) / near.size).toFixed(nearDecimals)} ${near.name}` })),
  };
}

function decimalsFor(step: number, unit: number): number {
  return Math.max(0, Math.ceil(Math.log10(unit / step) - 1e-9));
}

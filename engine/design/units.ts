/** Quantities as people write them, to integers: bytes, picoseconds, bits per second. */

export type Quantity = "size" | "time" | "rate";

/** Name of a unit and how many base units it is, largest last. The first spelling of a factor is the one shown. */
const UNITS: Readonly<Record<Quantity, readonly (readonly [name: string, factor: number])[]>> = {
  size: [
    ["B", 1], ["kB", 1e3], ["KB", 1e3], ["KiB", 1024], ["MB", 1e6], ["MiB", 1048576], ["GB", 1e9], ["GiB", 1073741824],
  ],
  time: [["ps", 1], ["ns", 1e3], ["us", 1e6], ["µs", 1e6], ["μs", 1e6], ["ms", 1e9], ["s", 1e12], ["min", 60e12]],
  rate: [
    ["bps", 1], ["bit/s", 1], ["b/s", 1], ["kbps", 1e3], ["kbit/s", 1e3], ["kb/s", 1e3], ["Mbps", 1e6], ["Mbit/s", 1e6], ["Mb/s", 1e6],
    ["Gbps", 1e9], ["Gbit/s", 1e9], ["Gb/s", 1e9], ["Tbps", 1e12], ["Tbit/s", 1e12], ["Tb/s", 1e12],
  ],
};

/** Units to propose, in the order in which people think of them. */
export const COMMON_UNITS: Readonly<Record<Quantity, readonly string[]>> = {
  size: ["B", "KiB", "MiB", "GiB", "kB", "MB", "GB"],
  time: ["ns", "us", "ms", "s"],
  rate: ["Mbps", "Gbps"],
};

export type Reading =
  | { readonly value: number }
  | { readonly failure: "wrong-type" | "bad-unit" | "out-of-range"; readonly message: string; readonly instead?: string };

const PATTERN = /^([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE]([+-]?[0-9]{1,3}))?\s*([^\s0-9]*)$/;

/**
 * Reads `8KiB`, `2.5us`, `10Gbps`. A size may lack its unit (bytes); a time or rate may only where it is 0.
 * @returns the value in base units, rounded to an integer, or why not, with a corrected spelling where one is near.
 */
export function readQuantity(kind: Quantity, text: string): Reading {
  const match = PATTERN.exec(text.trim());
  const example = `such as ${EXAMPLES[kind]}`;
  if (!match) return negative(kind, text.trim()) ?? { failure: "wrong-type", message: `This must be a ${kind} ${example}.` };
  const [, digits = "", exponent, unit = ""] = match;
  const amount = Number(exponent === undefined ? digits : `${digits}e${exponent}`);
  if (unit === "" && (kind === "size" || amount === 0)) return integer(kind, amount);
  if (unit === "") return { failure: "bad-unit", message: `A ${kind} needs a unit, ${example}.` };
  const known = UNITS[kind].find(([name]) => name === unit);
  if (known) return integer(kind, amount * known[1]);
  const near = UNITS[kind].find(([name]) => name.toLowerCase() === unit.toLowerCase());
  const message = `“${unit}” is not a unit of ${kind}; use one of ${COMMON_UNITS[kind].join(", ")}.`;
  return near ? { failure: "bad-unit", message, instead: text.trim().slice(0, -unit.length) + near[0] } : { failure: "bad-unit", message };
}

/** What is right but for its sign. */
function negative(kind: Quantity, text: string): Reading | undefined {
  const instead = text.slice(1);
  if (!text.startsWith("-") || "failure" in readQuantity(kind, instead)) return undefined;
  return { failure: "out-of-range", message: `A ${kind} cannot be negative. Did you mean “${instead}”?`, instead };
}

const EXAMPLES: Readonly<Record<Quantity, string>> = { size: "8KiB", time: "2us", rate: "10Gbps" };

function integer(kind: Quantity, value: number): Reading {
  const whole = Math.round(value);
  if (Number.isSafeInteger(whole)) return { value: whole };
  return { failure: "out-of-range", message: `This ${kind} is too large; the largest is ${formatQuantity(kind, Number.MAX_SAFE_INTEGER)}.` };
}

/** A probability: `1%` or `0.01`. */
export function readFraction(text: string): Reading {
  const match = PATTERN.exec(text.trim());
  const unit = match?.[3] ?? "?";
  if (!match || (unit !== "" && unit !== "%")) {
    return { failure: "wrong-type", message: "This must be a probability such as 1% or 0.01." };
  }
  const value = Number(match[2] === undefined ? match[1] : `${match[1]}e${match[2]}`) / (unit === "%" ? 100 : 1);
  if (value >= 0 && value <= 1) return { value };
  return { failure: "out-of-range", message: "A probability is between 0 and 1 (0% and 100%)." };
}

/**
 * Spells a quantity with the largest unit that keeps it at or above 1, at most three decimals: `2us`, `1.5ms`, `8KiB`.
 * @param value in base units: bytes, picoseconds, bits per second.
 */
export function formatQuantity(kind: Quantity, value: number): string {
  let [name, factor] = UNITS[kind][0] ?? ["", 1];
  for (const [n, f] of UNITS[kind]) {
    const binary = kind === "size" && f % 1000 === 0;
    if (f > factor && f <= Math.abs(value) && !binary && n !== "min") [name, factor] = [n, f];
  }
  return `${Math.round((value / factor) * 1000) / 1000}${name}`;
}

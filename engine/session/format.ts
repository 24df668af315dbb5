const units = [
  { name: "s", picoseconds: 1e12, digits: 12 },
  { name: "ms", picoseconds: 1e9, digits: 9 },
  { name: "µs", picoseconds: 1e6, digits: 6 },
  { name: "ns", picoseconds: 1e3, digits: 3 },
] as const;

/** An instant or a duration for people, exact to the picosecond: `12.345678 ms`, `800 ps`. */
export function formatTime(picoseconds: number): string {
  if (picoseconds < 0) return `-${formatTime(-picoseconds)}`;
  for (const unit of units) {
    if (picoseconds < unit.picoseconds) continue;
    const whole = Math.floor(picoseconds / unit.picoseconds);
    const rest = String(picoseconds % unit.picoseconds).padStart(unit.digits, "0").replace(/0+$/, "");
    return rest ? `${whole}.${rest} ${unit.name}` : `${whole} ${unit.name}`;
  }
  return `${picoseconds} ps`;
}

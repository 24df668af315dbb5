/** Puts `parts` in place of `{0}`, `{1}` … */
export function fill(text: string, ...parts: readonly string[]): string {
  return text.replace(/\{(\d+)\}/g, (whole, index: string) => parts[Number(index)] ?? whole);
}

/**
 * The line, from 0, on which C source defines a function: its name at the start of a line or after a type, a parameter
 * list, and no `;` or `,` behind it (which would make it a declaration). Undefined where there is none.
 */
export function findDefinition(text: string, fn: string): number | undefined {
  const name = fn.replace(/[^A-Za-z0-9_]/g, "");
  if (name === "") return undefined;
  const pattern = new RegExp(`^(?:[A-Za-z_][A-Za-z0-9_ \\t*]*[ \\t*])?${name}[ \\t]*\\(`, "gm");
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (/^\s*(?:return|else|if|while)\b/.test(match[0])) continue;
    const behind = afterParameters(text, match.index + match[0].length);
    if (behind !== undefined && behind !== ";" && behind !== ",") return text.slice(0, match.index + match[0].lastIndexOf(name)).split("\n").length - 1;
  }
  return undefined;
}

/** The first character behind the parenthesis that closes the one before `from`. */
function afterParameters(text: string, from: number): string | undefined {
  let depth = 1;
  let at = from;
  for (; at < text.length && depth > 0; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
  }
  return /\S/.exec(text.slice(at, at + 200))?.[0];
}

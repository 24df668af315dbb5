const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");

/**
 * How long a transition of `milliseconds` may take now: zero where the system or VS Code asks for less motion
 * (`workbench.reduceMotion` puts the class on the body).
 */
export function motion(milliseconds: number): number {
  return reduced.matches || document.body.classList.contains("vscode-reduce-motion") ? 0 : milliseconds;
}

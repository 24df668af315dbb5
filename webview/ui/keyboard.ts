/**
 * Keeps the keyboard's place in the page while the page is without it. A browser that moves the focus to an element of
 * another frame, as VS Code does at every stop of the debugger, takes it off the element that has it in this one.
 */
export class KeptFocus {
  /** True while an element gets back the focus that it had: nobody has moved to it. */
  returning = false;
  private last: HTMLElement | SVGElement | undefined;

  constructor() {
    // A click beside everything that takes the focus leaves it nowhere.
    window.addEventListener("pointerdown", () => (this.last = undefined), { capture: true });
    document.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement || target instanceof SVGElement) this.last = target;
    });
    window.addEventListener("focus", () => this.giveBack());
  }

  private giveBack(): void {
    if (document.activeElement !== document.body || !this.last?.isConnected) return;
    this.returning = true;
    this.last.focus({ preventScroll: true });
    this.returning = false;
  }
}

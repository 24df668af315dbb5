/** Says a sentence to assistive technology, politely, without moving the focus. */
export class Announcer {
  private readonly element = document.createElement("div");

  constructor(parent: HTMLElement) {
    this.element.className = "visually-hidden";
    this.element.setAttribute("role", "status");
    this.element.setAttribute("aria-live", "polite");
    parent.append(this.element);
  }

  say(sentence: string): void {
    // A region whose text does not change is not read again.
    this.element.textContent = this.element.textContent === sentence ? `${sentence}\u00a0` : sentence;
  }
}

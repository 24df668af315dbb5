/** What policies have in common that leave a vCPU to its thread until the thread lets it go (LibrettOS 4.1). */
export abstract class NonPreemptive {
  /** No tick: nobody looks at how long a thread runs. */
  readonly tickPeriod = 0;
  /** What going from one thread to another goes through. */
  protected abstract readonly switching: number;

  addThread(): void {}

  preempts(): boolean {
    return false;
  }

  ran(): void {}

  tick(): boolean {
    return false;
  }

  switchFn(): number {
    return this.switching;
  }
}

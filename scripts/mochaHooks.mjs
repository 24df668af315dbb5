/** For Mocha's workers, which hand on an error's message and stack only: what caused it goes into the stack. A property's failure says there what was wrong. */
export const mochaHooks = {
  /** @this {Mocha.Context} */
  afterEach() {
    const error = this.currentTest?.err;
    for (let cause = error?.cause; error && cause instanceof Error; cause = cause.cause) {
      const lines = (cause.stack ?? cause.message).split("\n").filter((line) => !line.includes("node_modules"));
      error.stack += `\nCaused by: ${lines.join("\n")}`;
    }
  },
};

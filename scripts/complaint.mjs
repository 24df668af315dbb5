/** A failure that a plain sentence explains fully, so that a stack trace would only hide it. */
export class Complaint extends Error {}

/**
 * Runs a script's main function; a {@link Complaint} is printed as its sentence, anything else with its stack.
 * @param {() => Promise<number | void>} main resolves to the exit code, 0 if left out.
 */
export function runScript(main) {
  main().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (error) => {
      console.error(error instanceof Complaint ? error.message : error);
      process.exitCode = 1;
    },
  );
}

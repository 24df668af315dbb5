/** A failure that a plain sentence explains fully, so that a stack trace would only hide it. */
export class Complaint extends Error {}

/**
 * Runs a script's main function; a {@link Complaint}, or that of `parseArgs`, is printed as its sentence, anything else with its stack.
 * @param {() => Promise<number | void>} main resolves to the exit code, 0 if left out.
 */
export function runScript(main) {
  // Leave by way of the exit handlers, which end the processes that the script started.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.once(signal, () => process.exit(130));
  main().then(
    (code) => {
      process.exitCode = code || process.exitCode || 0;
    },
    (error) => {
      const isPlain = error instanceof Complaint || String(error?.code).startsWith("ERR_PARSE_ARGS");
      console.error(isPlain ? error.message : error);
      process.exitCode = 1;
    },
  );
}

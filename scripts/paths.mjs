import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built for the extension, the command line and the webviews. */
export const dist = join(repository, "dist");

/** What checks, tests and packaging leave behind. Ignored by git. */
export const out = join(repository, "out");

/** Where the served VS Code is installed; `EXOSCOPE_RIG` lets several clones share one. */
export const rig = process.env.EXOSCOPE_RIG || join(repository, ".rig");

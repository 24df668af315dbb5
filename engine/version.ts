/** The engine's version, as in package.json: a trace file says which engine wrote it. */
export const ENGINE_VERSION = "0.1.0";

// Compiles what is WebAssembly: `npm run wasm`, after changing it or what it imports.
import { writeFile } from "node:fs/promises";
import { compile, compiled } from "./assembly.mjs";
import { runScript } from "./runScript.mjs";

runScript(async () => writeFile(compiled, await compile()));

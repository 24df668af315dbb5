import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { out, repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { Complaint } from "./runScript.mjs";

/** What is compiled to WebAssembly; what comes of it lies beside it. */
const source = "engine/trace/simd/encodeRows.ts";
export const compiled = join(repository, source.replace(/\.ts$/, ".json"));

/**
 * Compiles it: with two pages of memory, and without a runtime.
 * @returns {Promise<string>} the module's bytes as JSON, 32 a line.
 * @throws {Complaint} with what the compiler says, be it a warning
 */
export async function compile() {
  await mkdir(out, { recursive: true });
  const file = join(out, "encodeRows.wasm");
  let said = "";
  const code = await runNode([
    join(repository, "node_modules/assemblyscript/bin/asc.js"), source, "--baseDir", repository, "--outFile", file, "-O3", "--runtime", "stub", "--noAssert",
    "--enable", "simd", "--initialMemory", "2", "--maximumMemory", "2", "--pedantic",
  ], { output: (text) => { said += text; } });
  if (code !== 0 || said !== "") throw new Complaint(said || `The compiler ended with ${code}.`);
  const module = await readFile(file);
  const lines = Array.from({ length: Math.ceil(module.length / 32) }, (_, line) => module.subarray(line * 32, line * 32 + 32).join(", "));
  return `[\n${lines.join(",\n")}\n]\n`;
}

import { createRequire } from "node:module";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { context } from "esbuild";
import { repository } from "../../../scripts/paths.mjs";

/** A fault put into a model, which an invariant has to find: proof that its check can fail. */
export interface Mutation {
  /** The invariant that must fire; see docs/invariants.md. */
  readonly breaks: number;
  /** The model's file, from the top of the project. */
  readonly file: string;
  /** Text that stands in the file exactly once, and what it becomes. */
  readonly replace: string;
  readonly by: string;
  /** A second place, where one fault alone is caught elsewhere: a driver that misbehaves before a device that does not mind. */
  readonly and?: { readonly file: string; readonly replace: string; readonly by: string };
  /** A design in which the fault shows, or some, in one of which it does; without it, random machines are tried. */
  readonly design?: string | readonly string[];
  /** How far to follow a run; without it, as far as random machines are. */
  readonly dispatches?: number;
}

export function isOfScheduling({ file }: Mutation): boolean {
  return file.startsWith("engine/scheduling/");
}

/** What a machine with the fault is run by: see `checkedRun.ts`. */
export interface CheckedRun {
  /** Runs a design under one invariant. @returns what goes wrong, and whether it is the invariant that says so or the model itself; undefined: nothing */
  run(design: string, dispatches: number, number: number): { readonly invariant: boolean; readonly message: string } | undefined;
}

/** Builds engines with faults in them, one after the other. It keeps what it has parsed: of a build only the mutated files are new. */
export class Mutator {
  /** The files that the next build takes instead of those on the disk. */
  private readonly mutated = new Map<string, string>();
  private readonly builder = context({
    entryPoints: [join(repository, "test/support/mutations/checkedRun.ts")], bundle: true, platform: "node", format: "cjs", packages: "external", write: false, logLevel: "silent",
    plugins: [{ name: "mutation", setup: ({ onLoad }) => onLoad({ filter: /[\\/]engine[\\/].*\.ts$/ }, ({ path }) => {
      const contents = this.mutated.get(path);
      return contents === undefined ? undefined : { contents, loader: "ts" };
    }) }],
  });

  /**
   * Builds the engine and the invariants with the fault in it.
   * @throws Error where the text to replace does not stand in the file exactly once: the model has changed, and the mutation must follow
   */
  async mutate({ file, replace, by, and }: Pick<Mutation, "file" | "replace" | "by" | "and">): Promise<CheckedRun> {
    this.mutated.clear();
    for (const edit of [{ file, replace, by }, ...(and === undefined ? [] : [and])]) {
      const path = join(repository, edit.file);
      const source = this.mutated.get(path) ?? (await readFile(path, "utf8"));
      const found = source.split(edit.replace).length - 1;
      if (found !== 1) throw new Error(`${edit.file} has ${found} times: ${edit.replace}`);
      this.mutated.set(path, source.replace(edit.replace, () => edit.by));
    }
    const { outputFiles } = await (await this.builder).rebuild();
    const module = { exports: {} };
    // oxlint-disable-next-line no-implied-eval -- the bundle is our own code; a module of its own keeps the faulty engine away from the others.
    new Function("module", "exports", "require", outputFiles[0]!.text)(module, module.exports, createRequire(join(repository, "package.json")));
    return module.exports as CheckedRun;
  }

  /** Must be called in the end: the process does not end by itself before. */
  async dispose(): Promise<void> {
    await (await this.builder).dispose();
  }
}

import { readFile, writeFile } from "node:fs/promises";

/**
 * @typedef {object} TestCounts
 * @property {number} passed
 * @property {number} failed
 */

/** Names the file through which a stage of `npm test` hands its counts to the whole. */
export const countsVariable = "EXOSCOPE_TEST_COUNTS";

/** Hands over this process's counts, if someone asked for them. @param {TestCounts} counts */
export async function writeCounts(counts) {
  const file = process.env[countsVariable];
  if (file) await writeFile(file, JSON.stringify(counts));
}

/**
 * @param {string} file
 * @returns {Promise<TestCounts | undefined>} undefined when the stage ended before it counted.
 */
export async function readCounts(file) {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

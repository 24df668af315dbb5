import { chromium } from "playwright-core";
import { Complaint } from "../runScript.mjs";
import { chromiumPackage, chromiumPrograms, ensureSystemPackages, findProgram } from "./systemPackages.mjs";

/** Flags with which Chromium runs in containers and leaves the network alone. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts the system's Chromium without a window.
 * @returns {Promise<import("playwright-core").Browser>}
 * @throws {Complaint} when there is none.
 */
export async function launchChromium() {
  ensureSystemPackages([chromiumPackage], "The browser tests");
  const executablePath = findProgram(...chromiumPrograms);
  if (!executablePath) throw new Complaint("Chromium was installed, but cannot be found on PATH.");
  return chromium.launch({ executablePath, args: flags });
}

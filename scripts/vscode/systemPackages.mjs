import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Complaint } from "../runScript.mjs";

/**
 * @typedef {object} SystemPackage
 * @property {string} name as Debian calls it.
 * @property {() => boolean} isPresent
 */

/**
 * The full path of a program.
 * @param {string[]} names tried in order.
 * @returns {string | undefined}
 */
export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const file = join(folder, process.platform === "win32" ? `${name}.cmd` : name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

/** @param {string} name @param {string} program @returns {SystemPackage} */
function program(name, program) {
  return { name, isPresent: () => findProgram(program) !== undefined };
}

/** @param {string} name @param {string} file below /usr/include @returns {SystemPackage} */
function headers(name, file) {
  return {
    name,
    // On other systems than Linux the headers come with the compiler or are not needed.
    isPresent: () => process.platform !== "linux" || existsSync(join("/usr/include", file)),
  };
}

/** What the server's native modules are compiled with and against. */
export const buildPackages = [
  program("make", "make"),
  program("g++", "g++"),
  program("python3", "python3"),
  headers("libkrb5-dev", "krb5.h"),
  headers("libx11-dev", "X11/Xlib.h"),
  headers("libxkbfile-dev", "X11/extensions/XKBfile.h"),
  headers("libsecret-1-dev", "libsecret-1/libsecret/secret.h"),
];

/** Names under which Chromium or Chrome is installed. */
export const chromiumPrograms = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The browser that the tests drive. */
export const chromiumPackage = { name: "chromium", isPresent: () => findProgram(...chromiumPrograms) !== undefined };

/**
 * Makes sure that the packages are there: installs what is missing where this process may, else says what to install.
 * @param {SystemPackage[]} packages
 * @param {string} purpose completes the sentence "… needs".
 * @throws {Complaint} with the command to run.
 */
export function ensureSystemPackages(packages, purpose) {
  const missing = packages.filter((each) => !each.isPresent()).map((each) => each.name);
  if (missing.length === 0) return;
  const aptGet = findProgram("apt-get");
  if (!aptGet || process.getuid?.() !== 0) {
    const how = aptGet ? `sudo apt-get install ${missing.join(" ")}` : missing.join(" ");
    throw new Complaint(`${purpose} needs system packages that are missing here. Please install them and try again: ${how}`);
  }
  console.log(`Installing system packages: ${missing.join(" ")}`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, encoding: /** @type {const} */ ("utf8") };
  const install = ["install", "--yes", "--no-install-recommends", ...missing];
  // The package lists of a fresh image are empty or old: refresh them only when they do not serve.
  let result = spawnSync(aptGet, install, options);
  if (result.status !== 0) {
    spawnSync(aptGet, ["update"], options);
    result = spawnSync(aptGet, install, options);
  }
  if (result.status !== 0) {
    throw new Complaint(`${purpose} needs these system packages, and apt-get could not install them: ${missing.join(" ")}\n${result.stderr}`);
  }
}

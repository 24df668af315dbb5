import { dirname } from "node:path";

/** Whether an error is the file system's, of this code: `ENOENT`, … */
export function isFileError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Why a file cannot be read, and what to do. @param wanted what to name in its place */
export function unreadable(error: unknown, wanted: string): string {
  if (isFileError(error, "ENOENT") || isFileError(error, "ENOTDIR")) return `there is no such file. Name ${wanted}.`;
  if (isFileError(error, "EISDIR")) return `this is a folder. Name ${wanted}.`;
  if (isFileError(error, "EACCES") || isFileError(error, "EPERM")) return "this file may not be read. Change its permissions, or name a copy.";
  return error instanceof Error ? error.message : String(error);
}

/** Why a file cannot be written, and what to do. */
export function unwritable(error: unknown, path: string): string {
  if (isFileError(error, "ENOENT") || isFileError(error, "ENOTDIR")) return `there is no folder ${dirname(path)}. Make it, or name a file in one that exists.`;
  if (isFileError(error, "EISDIR")) return "this is a folder. Name a file.";
  if (isFileError(error, "EACCES") || isFileError(error, "EPERM") || isFileError(error, "EROFS")) return "this may not be written. Change the permissions, or name a file elsewhere.";
  if (isFileError(error, "ENOSPC")) return "there is no room left for it. Make some, or name a file on another disk.";
  return `${error instanceof Error ? error.message : String(error)}. Name another file.`;
}

/**
 * VS Code's codicons by name, with their character: SVG text needs the character, HTML only the class.
 * A test compares the characters with the table of `@vscode/codicons`.
 */
export const ICONS = {
  "arrow-swap": "\uebcb",
  "circuit-board": "\ueabe",
  "debug-start": "\uead3",
  "git-merge": "\ueafe",
  "go-to-file": "\uea94",
  "server-process": "\ueba2",
  "terminal-linux": "\uebc6",
  "type-hierarchy": "\uebb9",
  "screen-full": "\ueb4c",
  "zoom-in": "\ueb81",
  "zoom-out": "\ueb82",
  add: "\uea60",
  archive: "\uea98",
  book: "\ueaa4",
  broadcast: "\ueaad",
  check: "\ueab2",
  chip: "\uec19",
  close: "\uea76",
  database: "\ueace",
  error: "\uea87",
  extensions: "\ueae6",
  gear: "\ueaf8",
  globe: "\ueb01",
  info: "\uea74",
  key: "\ueb11",
  layers: "\uebd2",
  library: "\ueb9c",
  lock: "\uea75",
  package: "\ueb29",
  person: "\uea67",
  plug: "\ueb2d",
  pulse: "\ueb31",
  remote: "\ueb3a",
  server: "\ueb50",
  shield: "\ueb53",
  vm: "\uea7a",
  warning: "\uea6c",
} as const;

export type IconName = keyof typeof ICONS;

export function isIconName(name: string): name is IconName {
  return Object.hasOwn(ICONS, name);
}

/** The icon as an HTML element, hidden from assistive technology: the text beside it says what it is. */
export function iconElement(name: IconName): HTMLElement {
  const element = document.createElement("span");
  element.className = `codicon codicon-${name}`;
  element.setAttribute("aria-hidden", "true");
  return element;
}

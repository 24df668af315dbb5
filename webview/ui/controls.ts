/**
 * The one module that knows `@vscode/webview-ui-toolkit`: every control of our webviews is made here, so
 * that a successor of the archived toolkit is a change of this file alone.
 */
import { provideVSCodeDesignSystem, vsCodeButton, vsCodeProgressRing, vsCodeTextField } from "@vscode/webview-ui-toolkit";
import type { Button, TextField } from "@vscode/webview-ui-toolkit";
import { iconElement, type IconName } from "./icons";

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing(), vsCodeTextField());

export interface ButtonOptions {
  /** What it does, as the user reads it; with `appearance: "icon"` the accessible name and tooltip. */
  readonly label: string;
  readonly icon?: IconName;
  readonly appearance?: "primary" | "secondary" | "icon";
  readonly onClick: () => void;
}

export function button(options: ButtonOptions): Button {
  const element = document.createElement("vscode-button") as Button;
  element.appearance = options.appearance ?? "secondary";
  if (element.appearance === "icon") {
    element.setAttribute("aria-label", options.label);
    element.title = options.label;
  } else {
    element.append(options.label);
  }
  if (options.icon !== undefined) {
    const icon = iconElement(options.icon);
    if (element.appearance !== "icon") icon.slot = "start";
    element.append(icon);
  }
  element.addEventListener("click", options.onClick);
  return element;
}

export interface TextFieldOptions {
  /** Accessible name. */
  readonly label: string;
  readonly placeholder?: string;
  readonly onInput: (value: string) => void;
}

export function textField(options: TextFieldOptions): TextField {
  const element = document.createElement("vscode-text-field") as TextField;
  element.setAttribute("aria-label", options.label);
  if (options.placeholder !== undefined) element.placeholder = options.placeholder;
  element.addEventListener("input", () => options.onInput(element.value));
  return element;
}

/** A spinner with an accessible name; it stands still under reduced motion (ui.css). */
export function progressRing(label: string): HTMLElement {
  const element = document.createElement("vscode-progress-ring");
  element.setAttribute("aria-label", label);
  return element;
}

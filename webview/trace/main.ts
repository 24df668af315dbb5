import type { FromTrace, TracePage } from "../../protocol/trace";
import { button } from "../ui/controls";
import { connectHost } from "../ui/host";
import { iconElement } from "../ui/icons";
import "../ui/ui.css";
import "./trace.css";

function run(root: HTMLElement): void {
  // Written by the extension into the page that it made: the two are built together.
  const { title, details, note, buttons }: TracePage = JSON.parse(root.dataset["page"] ?? "");
  const host = connectHost<never, FromTrace>([]);
  root.append(text("h1", title));
  const list = document.createElement("dl");
  for (const { label, value } of details) list.append(text("dt", label), text("dd", value));
  root.append(list);
  if (note !== "") {
    const line = text("p", "");
    line.className = "note";
    line.append(iconElement("warning"), text("span", note));
    root.append(line);
  }
  if (!buttons) return;
  const row = document.createElement("div");
  row.className = "buttons";
  row.append(
    button({ label: buttons.step, appearance: "primary", onClick: () => host.post({ type: "step" }) }),
    button({ label: buttons.design, onClick: () => host.post({ type: "design" }) }),
  );
  root.append(row);
}

function text(name: string, content: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}

const root = document.getElementById("trace");
if (root) run(root);

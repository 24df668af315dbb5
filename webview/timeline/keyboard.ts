export interface KeyActions {
  zoom(factor: number): void;
  /** Parts of the window's width. */
  pan(part: number): void;
  scroll(pixels: number): void;
  fit(): void;
  zoomToSelection(): void;
  find(): void;
  moveHere(): void;
}

const ZOOM = 1.3;
const PAN = 0.12;

/** Keys of the whole timeline; a text box keeps its own, and the track list's arrows do not come here. */
export function listenToKeys(root: HTMLElement, actions: KeyActions): void {
  root.addEventListener("keydown", (event) => {
    if (event.target instanceof Element && event.target.closest("input, vscode-text-field")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f") actions.find();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else {
      switch (event.key) {
        case "w": case "W": case "+": case "=": actions.zoom(1 / ZOOM); break;
        case "s": case "S": case "-": actions.zoom(ZOOM); break;
        case "a": case "A": case "ArrowLeft": actions.pan(-PAN); break;
        case "d": case "D": case "ArrowRight": actions.pan(PAN); break;
        case "ArrowUp": actions.scroll(-22); break;
        case "ArrowDown": actions.scroll(22); break;
        case "0": case "f": case "F": actions.fit(); break;
        case "z": case "Z": actions.zoomToSelection(); break;
        case "/": actions.find(); break;
        case "Enter":
          if (event.target instanceof HTMLButtonElement) return;
          actions.moveHere();
          break;
        default: return;
      }
    }
    event.preventDefault();
  });
}

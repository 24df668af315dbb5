import type { Measure, TextStyle } from "./sizes";

/** Sizes and weights of the diagram's texts, CSS pixels; styles/page.css and styles/boxes.css say the same. */
const FONTS: Readonly<Record<TextStyle, string>> = { tile: "400 13px", box: "600 13px", caption: "400 11px" };

/** Measures texts in the page's own font. */
export function textMeasure(): Measure {
  const context = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  const widths = new Map<string, number>();
  return (text, style) => {
    const key = `${style}:${text}`;
    let width = widths.get(key);
    if (width === undefined) {
      if (context) context.font = `${FONTS[style]} ${family}`;
      // Without a canvas (a test's DOM) an average letter has to do.
      width = context ? Math.ceil(context.measureText(text).width) : text.length * 7;
      widths.set(key, width);
    }
    return width;
  };
}

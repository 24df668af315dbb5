/** Values of the theme tokens that the timeline uses, as VS Code's default themes set them. */
export type ThemeName = "dark" | "light" | "highContrast";

interface Theme {
  readonly body: string;
  readonly tokens: Readonly<Record<string, string>>;
}

const FONT = { "font-family": "'Segoe UI', Ubuntu, 'DejaVu Sans', sans-serif", "font-size": "13px", "font-weight": "400" };

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  dark: {
    body: "vscode-dark",
    tokens: {
      ...FONT, foreground: "#cccccc", descriptionForeground: "#9d9d9d", "editor-foreground": "#cccccc", "editor-background": "#1f1f1f",
      "panel-background": "#181818", focusBorder: "#0078d4", "charts-red": "#f14c4c", "charts-blue": "#59a4f9", "charts-yellow": "#cca700",
      "charts-orange": "#d18616", "charts-green": "#89d185", "charts-purple": "#b180d7", "charts-foreground": "#cccccc",
      "debugIcon-breakpointCurrentStackframeForeground": "#ffcc00", "list-hoverBackground": "#2a2d2e", "textLink-foreground": "#4daafc",
      "editorHoverWidget-background": "#202020", "editorHoverWidget-foreground": "#cccccc", "editorHoverWidget-border": "#454545",
      "input-background": "#313131", "input-foreground": "#cccccc", "input-border": "#3c3c3c", "input-placeholderForeground": "#989898",
      "settings-textInputBackground": "#313131", "settings-textInputForeground": "#cccccc", "settings-textInputBorder": "#3c3c3c",
      "dropdown-border": "#3c3c3c", "button-background": "#0078d4", "button-foreground": "#ffffff", "button-hoverBackground": "#026ec1",
      "errorForeground": "#f85149", "editorError-foreground": "#f14c4c",
    },
  },
  light: {
    body: "vscode-light",
    tokens: {
      ...FONT, foreground: "#3b3b3b", descriptionForeground: "#3b3b3b", "editor-foreground": "#3b3b3b", "editor-background": "#ffffff",
      "panel-background": "#f8f8f8", focusBorder: "#005fb8", "charts-red": "#e51400", "charts-blue": "#0063d3", "charts-yellow": "#bf8803",
      "charts-orange": "#d18616", "charts-green": "#388a34", "charts-purple": "#652d90", "charts-foreground": "#3b3b3b",
      "debugIcon-breakpointCurrentStackframeForeground": "#be8700", "list-hoverBackground": "#f2f2f2", "textLink-foreground": "#005fb8",
      "editorHoverWidget-background": "#f8f8f8", "editorHoverWidget-foreground": "#3b3b3b", "editorHoverWidget-border": "#c8c8c8",
      "input-background": "#ffffff", "input-foreground": "#3b3b3b", "input-border": "#cecece", "input-placeholderForeground": "#767676",
      "settings-textInputBackground": "#ffffff", "settings-textInputForeground": "#3b3b3b", "settings-textInputBorder": "#cecece",
      "dropdown-border": "#cecece", "button-background": "#005fb8", "button-foreground": "#ffffff", "button-hoverBackground": "#0258a8",
      "errorForeground": "#f85149", "editorError-foreground": "#e51400",
    },
  },
  highContrast: {
    body: "vscode-high-contrast",
    tokens: {
      ...FONT, foreground: "#ffffff", descriptionForeground: "rgba(255, 255, 255, 0.7)", "editor-foreground": "#ffffff", "editor-background": "#000000",
      "panel-background": "#000000", focusBorder: "#f38518", contrastBorder: "#6fc3df", "charts-red": "#f48771", "charts-blue": "#59a4f9",
      "charts-yellow": "#ffd370", "charts-orange": "#d18616", "charts-green": "#89d185", "charts-purple": "#b180d7", "charts-foreground": "#ffffff",
      "debugIcon-breakpointCurrentStackframeForeground": "#ffcc00", "textLink-foreground": "#21a6ff", "editorHoverWidget-background": "#0c141f",
      "editorHoverWidget-foreground": "#ffffff", "editorHoverWidget-border": "#6fc3df", "input-background": "#000000", "input-foreground": "#ffffff",
      "input-border": "#6fc3df", "settings-textInputBackground": "#000000", "settings-textInputForeground": "#ffffff",
      "settings-textInputBorder": "#6fc3df", "dropdown-border": "#6fc3df", "button-background": "#000000", "button-foreground": "#ffffff",
      "button-border": "#6fc3df", "editorError-foreground": "#f48771",
    },
  },
};

/** What the page of a trace file shows, and what its buttons say to the extension. Texts arrive localised. */
export interface TracePage {
  readonly title: string;
  readonly details: readonly { readonly label: string; readonly value: string }[];
  /** What is missing or wrong; empty if nothing is. */
  readonly note: string;
  /** Labels of the buttons; without them there is nothing to look at. */
  readonly buttons: { readonly step: string; readonly design: string } | undefined;
}

export type FromTrace =
  /** Step through the run. */
  | { readonly type: "step" }
  /** Show the design that ran. */
  | { readonly type: "design" };

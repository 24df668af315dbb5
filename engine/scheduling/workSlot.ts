/** Functions that one piece of work can name. */
export const SHARES = 24;

/** Words of a slot: its vCPU; its thread, −1: an interrupt; the component whose work it is, with op and arguments; the row that asked for it, the one that it last waited for. */
export const VCPU = 0;
export const THREAD = 1;
export const OWNER = 2;
export const OP = 3;
export const FIRST_ARGUMENT = 4;
export const SECOND_ARGUMENT = 5;
export const CAUSE = 6;
export const ENABLER = 7;
/** How many functions it has, and how many of these are done. */
export const COUNT = 8;
export const DONE = 9;
/** The next free slot, of one that is free. */
export const NEXT = 10;
/** Whether there is anything in the columns that most work leaves as it found them; whether one of its functions is under a lock. */
export const SPECIAL = 11;
export const LOCKED = 12;
/** The event of its end; −1: it does not run. */
export const EVENT = 13;

/** What few pieces of work have, and times in picoseconds. */
export const slotColumns = {
  begin: "f64", end: "f64", remaining: "f64", spin: "f64", cut: "u8", noted: "i32", hung: "u8",
  started: "u8", section: "u8", held: "i32", second: "i32", wants: "i32", spinning: "u8", spun: "f64", spunFor: "i32", spunSecond: "f64",
  spunForSecond: "i32", waits: "f64", instead: "u8", goesOn: "i32", led: "u8", ledFirst: "u8", ledLeft: "f64",
} as const;

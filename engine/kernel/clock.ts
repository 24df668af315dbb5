/**
 * Numbers of the clock. They lie side by side: an event that is taken moves the first three, and one that is scheduled is compared with all instants.
 * NOW is simulated time, picoseconds, and DISPATCHES are the events so far.
 */
export const NOW = 0;
export const DISPATCHES = 1;
/** The queue's: the instant of its lists for what is to happen now; later than NOW when it has come upon a crowd of events at one instant. */
export const INSTANT = 2;
/** What is earlier is not the ladder's; what is no earlier than FAR_BOUND waits unsorted. */
export const NEAR_BOUND = 3;
export const FAR_BOUND = 4;
export const CLOCK_NUMBERS = 5;

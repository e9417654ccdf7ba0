// What the core calls in the JavaScript of its thread. Nothing of this is on the way of a packet whose flow is cached, but
// for ports and programs that are JavaScript themselves.

/** Asks a filter program that is not compiled into this thread. */
export declare function ask(program: u32, packet: usize, length: u32): u32;
/** Has a packet translated at once; returns the outcome, the answers in SCRATCH_VERDICT. */
export declare function translate(set: u32, packet: usize, length: u32, inPort: u32, recircId: u32, results: u32): u32;
/** Gives a packet to main. */
export declare function toMain(note: u32, packet: usize, length: u32, depth: u32): void;
/** Sends a packet by a port of kind CALL. */
export declare function send(slot: u32, packet: usize, length: u32, queue: u32, depth: u32): void;
/** Sends what is collected for a driver. */
export declare function flush(slot: u32): void;

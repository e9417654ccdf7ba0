/**
 * What a cached flow does to a packet: the few primitives that translation leaves of OpenFlow's actions. Port numbers are
 * real ports of the datapath; reserved ports (FLOOD, NORMAL, IN_PORT) are resolved when a packet is translated. What
 * changes the packet counts for the actions after it, except within `clone`.
 */
export type DatapathAction =
  | OutputAction
  | SetAction
  | { readonly kind: 'pushVlan'; readonly tpid: number; readonly tci: number }
  | { readonly kind: 'popVlan' }
  | { readonly kind: 'pushMpls'; readonly ethType: number; readonly lse: number }
  | { readonly kind: 'popMpls'; readonly ethType: number }
  /** Runs the actions on a copy of the packet. */
  | { readonly kind: 'clone'; readonly actions: readonly DatapathAction[] }
  /** The packet as it is now takes another pass, with this number in its key's `recircId`. */
  | { readonly kind: 'recirculate'; readonly id: number }
  /** Gives the packet to whoever translated it; `note` is a number of theirs. */
  | { readonly kind: 'toMain'; readonly note: number };

export interface OutputAction {
  readonly kind: 'output';
  readonly port: number;
  /** The packet is cut to so many bytes for this output. */
  readonly maxLen?: number;
  /** The queue of the port, for ports that have any. */
  readonly queue?: number;
}

/** Writes bits of the packet that fields of the flow key stand for, as far as the packet has those headers. */
export interface SetAction {
  readonly kind: 'set';
  /** [offset in the key, value, mask] for each byte; offsets ascend. */
  readonly bytes: readonly (readonly [number, number, number])[];
}

import type { DatapathAction } from '../../datapath/index.ts';
import { KEY_PACKET_BYTES, VLAN } from '../../packet/index.ts';

const MPLS_LSE_BYTES = 4;

/** What `save` keeps and `restore` brings back. */
export interface SavedRewrites {
  readonly written: Uint8Array;
  readonly isWritten: boolean;
  readonly pending: readonly DatapathAction[];
  readonly lengthDelta: number;
}

/**
 * Collects datapath actions. Changes to the packet wait until something looks at the packet, an output or the controller, since
 * often nothing does; fields are remembered as bits written in the key, so that a field set twice is set once.
 */
export class PacketRewrites {
  /** What has been decided so far. */
  actions: DatapathAction[] = [];
  /** Bits of the key's packet region that were written since the last change of headers. */
  #written = new Uint8Array(KEY_PACKET_BYTES);
  #isWritten = false;
  #pending: DatapathAction[] = [];
  /** By how many bytes the packet is longer than it was when it entered the pass. */
  lengthDelta = 0;

  /** Notes that the bits of `mask` at `offset` of the key have been given values. */
  written(offset: number, mask: Uint8Array): void {
    for (let i = 0; i < mask.length; i++) this.#written[offset + i] |= mask[i];
    this.#isWritten = true;
  }

  pushVlan(key: Uint8Array, tpid: number, tci: number): void {
    this.#change(key, { kind: 'pushVlan', tpid, tci }, VLAN.tagBytes);
  }

  popVlan(key: Uint8Array): void {
    this.#change(key, { kind: 'popVlan' }, -VLAN.tagBytes);
  }

  pushMpls(key: Uint8Array, ethType: number, lse: number): void {
    this.#change(key, { kind: 'pushMpls', ethType, lse }, MPLS_LSE_BYTES);
  }

  popMpls(key: Uint8Array, ethType: number): void {
    this.#change(key, { kind: 'popMpls', ethType }, -MPLS_LSE_BYTES);
  }

  /** Adds an action that looks at the packet as `key` has it. */
  emit(key: Uint8Array, action: DatapathAction): void {
    this.#settle(key);
    for (const pending of this.#pending) this.actions.push(pending);
    this.#pending = [];
    this.actions.push(action);
  }

  /** Runs `body` with an empty list of actions, and returns what it put there. */
  collect(body: () => void): DatapathAction[] {
    const outer = this.actions;
    this.actions = [];
    body();
    const inner = this.actions;
    this.actions = outer;
    return inner;
  }

  save(): SavedRewrites {
    return {
      written: this.#written.slice(),
      isWritten: this.#isWritten,
      pending: this.#pending.slice(),
      lengthDelta: this.lengthDelta,
    };
  }

  restore(saved: SavedRewrites): void {
    this.#written.set(saved.written);
    this.#isWritten = saved.isWritten;
    this.#pending = saved.pending.slice();
    this.lengthDelta = saved.lengthDelta;
  }

  /** Headers come or go: what was written before belongs to the old ones. `key` must still be as it was. */
  #change(key: Uint8Array, action: DatapathAction, bytes: number): void {
    this.#settle(key);
    this.#pending.push(action);
    this.lengthDelta += bytes;
  }

  /** Turns the bits written into an action. */
  #settle(key: Uint8Array): void {
    if (!this.#isWritten) return;
    const bytes: (readonly [number, number, number])[] = [];
    for (const [offset, mask] of this.#written.entries())
      if (mask !== 0) bytes.push([offset, key[offset] & mask, mask]);
    this.#pending.push({ kind: 'set', bytes });
    this.#written.fill(0);
    this.#isWritten = false;
  }
}

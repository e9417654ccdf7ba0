import { toHex } from '../../bytes/index.ts';
import type { Action } from '../../openflow/index.ts';
import { formatActions } from '../../openflow/index.ts';
import { KEY, KEY_BYTES, KEY_PACKET_BYTES } from '../../packet/index.ts';
import type { Mirror } from '../mirror.ts';
import type { Rest } from './walk.ts';

/** What a pass leaves to the next one. */
export interface FrozenPass {
  /** The key, of which what is known beside the packet lives on. */
  readonly key: Uint8Array;
  readonly rests: readonly Rest[];
  readonly stack: readonly Uint8Array[];
  readonly actionSet: readonly Action[];
  readonly queue: number | undefined;
  readonly isPacketOut: boolean;
  readonly mirrored: readonly Mirror[];
}

/**
 * Passes to be taken up, by the number in their packets' keys; equal ones share a number. They hold as long as the
 * verdicts of their generation and of the one before, since a packet may be between two passes when tables change.
 */
export class FrozenPasses {
  readonly #limit: number;
  #next = 1;
  #ids = new Map<string, number>();
  #current = new Map<number, FrozenPass>();
  #previous = new Map<number, FrozenPass>();
  /** Passes that were not taken up for want of room. */
  refused = 0;

  constructor(limit = 1 << 20) {
    this.#limit = limit;
  }

  /** 0, which leads nowhere, when there are too many. */
  add(pass: FrozenPass): number {
    const identity = identityOf(pass);
    const known = this.#ids.get(identity);
    if (known !== undefined) return known;
    if (this.#current.size >= this.#limit) {
      this.refused++;
      return 0;
    }
    const id = this.#next;
    this.#next = this.#next === 0xffffffff ? 1 : this.#next + 1;
    this.#ids.set(identity, id);
    this.#current.set(id, pass);
    return id;
  }

  get(id: number): FrozenPass | undefined {
    return this.#current.get(id) ?? this.#previous.get(id);
  }

  startGeneration(): void {
    if (this.#current.size === 0) return;
    this.#previous = this.#current;
    this.#current = new Map();
    this.#ids = new Map();
  }
}

/** The parts of a key that outlive a pass: everything that is not read from the packet, but for the pass's own number. */
export function carryOver(from: Uint8Array, to: Uint8Array): void {
  for (let offset = KEY.inPort; offset < KEY.packetType; offset++) to[offset] = from[offset];
  for (let offset = KEY_PACKET_BYTES; offset < KEY_BYTES; offset++)
    if (offset < KEY.recircId || offset >= KEY.conjId) to[offset] = from[offset];
}

function identityOf(pass: FrozenPass): string {
  const key = new Uint8Array(KEY_BYTES);
  carryOver(pass.key, key);
  const rests = pass.rests.map(
    ({ actions, table, rule }) => `${formatActions(actions)}@${table}/${rule?.sequence}.${rule?.addedIn}`,
  );
  return [
    toHex(key.subarray(KEY.inPort, KEY.packetType)),
    toHex(key.subarray(KEY_PACKET_BYTES)),
    rests.join(';'),
    pass.stack.map((value) => toHex(value)).join(','),
    formatActions(pass.actionSet),
    pass.queue,
    pass.isPacketOut,
    pass.mirrored.map(({ name }) => name).join(),
  ].join('|');
}

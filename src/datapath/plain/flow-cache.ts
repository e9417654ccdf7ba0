import type { FlowNode } from '../outcome.ts';

interface Entry {
  node: FlowNode;
  generation: number;
}

/**
 * The flow cache of the plain datapath: exact match on the key under the union mask. A bounded Map in insertion order; a
 * new flow over the bound pushes out the oldest.
 */
export class FlowCache {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  #union: Uint8Array;
  /** Offsets of the union mask's bytes that are not zero: all that a probe reads. */
  #offsets: number[] = [];
  #generation = 0;
  evictions = 0;

  constructor(keyBytes: number, capacity: number) {
    this.#union = new Uint8Array(keyBytes);
    this.#capacity = capacity;
  }

  setUnion(mask: Uint8Array): void {
    this.#union = mask.slice();
    this.#offsets = [];
    for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) this.#offsets.push(i);
    this.#entries.clear();
  }

  /** Makes every entry stale at once; stale entries are overwritten or pushed out later. */
  invalidate(): void {
    this.#generation++;
  }

  /** The index text of a flow key: one UTF-16 unit for each byte that decides. */
  index(key: Uint8Array): string {
    let text = '';
    for (const i of this.#offsets) text += String.fromCharCode(key[i] & this.#union[i]);
    return text;
  }

  get(index: string): FlowNode | undefined {
    const entry = this.#entries.get(index);
    return entry !== undefined && entry.generation === this.#generation ? entry.node : undefined;
  }

  set(index: string, node: FlowNode): void {
    if (this.#entries.size >= this.#capacity && !this.#entries.has(index)) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
      this.evictions++;
    }
    this.#entries.set(index, { node, generation: this.#generation });
  }

  /** Valid flows as (key under the mask, node). */
  *flows(): Iterable<{ key: Uint8Array; node: FlowNode }> {
    for (const [index, entry] of this.#entries) {
      if (entry.generation !== this.#generation) continue;
      const key = new Uint8Array(this.#union.length);
      for (let i = 0; i < this.#offsets.length; i++) key[this.#offsets[i]] = index.charCodeAt(i);
      yield { key, node: entry.node };
    }
  }
}

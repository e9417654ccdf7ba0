import type { BpfMap, MapEntry } from '../../bpf/index.ts';
import { ByteWriter } from '../../bytes/index.ts';
import { ExtensionError, MAP_KINDS, type MapContents } from '../../openflow/index.ts';
import { contentBytes } from './map-access.ts';

/** Bytes of entries that one message carries at most. */
const MESSAGE_BYTES = 60_000;

export type ContentsHead = Pick<MapContents, 'program' | 'map' | 'reason' | 'subscription'> & {
  readonly deleted?: boolean;
};

/** Makes messages of entries as they come: each is full, but the last. */
export class ContentsWriter {
  readonly #head: Omit<MapContents, 'more' | 'count' | 'entries'>;
  readonly #writer = new ByteWriter(1024);
  #count = 0;
  /** A message that is full, and becomes the last if no entry follows. */
  #full: MapContents | undefined;

  /** @throws ExtensionError OKO_TOO_LARGE when not one entry fits into a message */
  constructor(map: BpfMap, head: ContentsHead) {
    const { keySize, valueSize } = contentBytes(map);
    const { name, kind } = map.definition;
    if (keySize + valueSize > MESSAGE_BYTES)
      throw new ExtensionError(
        'OKO_TOO_LARGE',
        `map ${name}: an entry of ${keySize + valueSize} bytes fits into no message; ${MESSAGE_BYTES} bytes do`,
      );
    this.#head = {
      kind: 'map_contents',
      deleted: false,
      ...head,
      name,
      mapKind: MAP_KINDS.find((known) => known === kind) ?? 'unknown',
      keySize,
      valueSize: head.deleted === true ? 0 : valueSize,
      // Counting what a filter holds would take as long as dumping it.
      total: kind === 'bloom' || kind === 'count-min' ? 0n : BigInt(map.count),
    };
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#full === undefined;
  }

  /** Takes an entry; the message that was full before it, if one was. */
  add({ key, value }: MapEntry): MapContents | undefined {
    const { keySize, valueSize } = this.#head;
    const full = this.#full;
    this.#full = undefined;
    this.#writer.put(key);
    if (valueSize > 0) this.#writer.put(value);
    this.#count++;
    if (this.#writer.length + keySize + valueSize > MESSAGE_BYTES) this.#full = this.#message(true);
    return full;
  }

  /** The last message, which there always is. */
  finish(): MapContents {
    return this.#full === undefined ? this.#message(false) : { ...this.#full, more: false };
  }

  #message(more: boolean): MapContents {
    const message = { ...this.#head, more, count: this.#count, entries: this.#writer.finish() };
    this.#writer.cut(0);
    this.#count = 0;
    return message;
  }
}

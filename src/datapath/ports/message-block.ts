import { addressOf } from './linux.ts';

/** struct mmsghdr and struct iovec of 64-bit Linux (recvmmsg(2)), in 32-bit words. */
const MESSAGE = { words: 16, vectors: 4, vectorCount: 6, control: 8, controlLength: 10, length: 14 } as const;
const VECTOR_WORDS = 4;
const WORD = 2 ** 32;

/** The arrays of recvmmsg(2) and sendmmsg(2) for some messages of so many pieces each, made once and filled in again. */
export class MessageBlock {
  readonly #address: bigint;
  readonly #messages: Uint32Array;
  readonly #vectors: Uint32Array;
  readonly #pieces: number;
  readonly #vectorsAddress: number;

  constructor(messages: number, pieces: number) {
    this.#messages = new Uint32Array(messages * MESSAGE.words);
    this.#vectors = new Uint32Array(messages * pieces * VECTOR_WORDS);
    this.#pieces = pieces;
    this.#address = addressOf(bytesOf(this.#messages));
    this.#vectorsAddress = Number(addressOf(bytesOf(this.#vectors)));
    for (let message = 0; message < messages; message++) {
      this.#set(this.#messages, message * MESSAGE.words + MESSAGE.vectors, this.vectorsOf(message));
      this.#messages[message * MESSAGE.words + MESSAGE.vectorCount] = pieces;
    }
  }

  /** Machine address of the struct mmsghdr of a message, and those behind it. */
  addressOf(message: number): bigint {
    return this.#address + BigInt(4 * MESSAGE.words * message);
  }

  /** Machine address of the first struct iovec of a message. */
  vectorsOf(message: number): number {
    return this.#vectorsAddress + message * this.#pieces * VECTOR_WORDS * 4;
  }

  /** Where a piece of a message lies: machine address and bytes. */
  setPiece(message: number, piece: number, address: number, bytes: number): void {
    const at = (message * this.#pieces + piece) * VECTOR_WORDS;
    this.#set(this.#vectors, at, address);
    this.#vectors[at + 2] = bytes;
  }

  /** Where control data of a message go. The kernel overwrites the length: it is set again before each call. */
  setControl(message: number, address: number, bytes: number): void {
    this.#set(this.#messages, message * MESSAGE.words + MESSAGE.control, address);
    this.setControlLength(message, bytes);
  }

  setControlLength(message: number, bytes: number): void {
    this.#messages[message * MESSAGE.words + MESSAGE.controlLength] = bytes;
  }

  controlLength(message: number): number {
    return this.#messages[message * MESSAGE.words + MESSAGE.controlLength];
  }

  /** Bytes received by recvmmsg, or sent by sendmmsg. */
  length(message: number): number {
    return this.#messages[message * MESSAGE.words + MESSAGE.length];
  }

  /** A 64-bit word; addresses of a process lie below 2^47. */
  #set(words: Uint32Array, at: number, value: number): void {
    words[at] = value % WORD;
    words[at + 1] = Math.floor(value / WORD);
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

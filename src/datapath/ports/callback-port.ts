import type { Port } from '../port.ts';

/** A port that hands every packet to a function: the end of a replay, a test's probe. The packet is the receiver's to read, not to keep. */
export class CallbackPort implements Port {
  readonly name: string;
  readonly #receive: (packet: Uint8Array, timeNs: bigint) => void;

  constructor(name: string, receive: (packet: Uint8Array, timeNs: bigint) => void) {
    this.name = name;
    this.#receive = receive;
  }

  send(packet: Uint8Array, timeNs: bigint): boolean {
    this.#receive(packet, timeNs);
    return true;
  }
}

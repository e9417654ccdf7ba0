import type { LoadedProgram, World } from './engine.ts';
import { BpfError } from './errors.ts';

/** Runs programs on packets that lie outside the window, each copied in: for tools, tests and small uses. */
export class PacketRunner {
  readonly #world: World;
  readonly #buffer: number;
  readonly #capacity: number;

  /** @param capacity bytes of the longest packet */
  constructor(world: World, capacity = 65536) {
    this.#world = world;
    this.#capacity = capacity;
    this.#buffer = world.memory.allocate(capacity, 'a packet buffer');
  }

  /** r0 of a run over the packet. Each run counts as a batch. */
  run(program: LoadedProgram, packet: Uint8Array): bigint {
    if (packet.length > this.#capacity)
      throw new BpfError('BPF_MEMORY_LIMIT', `a packet of ${packet.length} bytes, the buffer has ${this.#capacity}`);
    const { memory, clock, thread } = this.#world;
    memory.bytes.set(packet, this.#buffer);
    try {
      return program.run(this.#buffer, packet.length);
    } finally {
      clock.advance(thread.index);
    }
  }

  /** Gives the buffer back. */
  close(): void {
    this.#world.memory.free(this.#buffer);
  }
}

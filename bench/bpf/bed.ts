import { DESCRIPTOR } from '../../src/bpf/compiler/index.ts';
import { createMap, EbpfMemory, EbpfThread, EpochClock, type World } from '../../src/bpf/index.ts';
import { mapNamed, type Scenario } from './scenario.ts';

export const BATCH = 32;
const WINDOW_BITS = 25;
/** Packets lie this far apart, as a driver would put them. */
const BUFFER_BYTES = 128;
const MEASURED_PACKETS = 512 * BATCH;

/**
 * The memory of one scenario as it is before the first packet: maps with their settings, all packets, and descriptors of the
 * opening ones and of a long row of the measured ones in random order. Whoever runs it starts from the same bytes.
 */
export class Bed {
  readonly world: World;
  readonly windowBytes = 2 ** WINDOW_BITS;
  /** Addresses and numbers of descriptors. */
  readonly opening: { readonly address: number; readonly count: number };
  readonly measured: { readonly address: number; readonly count: number };

  constructor(scenario: Scenario) {
    const memory = EbpfMemory.standalone({ windowBits: WINDOW_BITS, shared: true });
    // Touches every page in order, as the copy for the native code does: the processor then finds addresses alike fast.
    memory.bytes.fill(0);
    const clock = EpochClock.create(memory, 1);
    const thread = EbpfThread.create(memory, 0);
    clock.enter(0);
    thread.timeNs = 1_700_000_000_000_000_000n;
    const maps = scenario.program.maps.map((map, i) =>
      createMap(memory, clock, map, BigInt(i + 1) * 0x9e3779b97f4a7c15n),
    );
    for (const [name, key, value] of scenario.settings) maps[mapNamed(scenario.program.maps, name)].update(key, value);
    this.world = { memory, clock, thread, maps };
    const place = (packets: readonly Uint8Array[]): { address: number; length: number }[] => {
      const first = memory.allocate(Math.max(1, packets.length) * BUFFER_BYTES, 'packets');
      return packets.map((packet, i) => {
        const address = first + i * BUFFER_BYTES;
        memory.bytes.set(packet, address);
        return { address, length: packet.length };
      });
    };
    const describe = (packets: readonly { address: number; length: number }[]): Bed['opening'] => {
      const address = memory.allocate(Math.max(1, packets.length) * DESCRIPTOR.bytes, 'descriptors');
      packets.forEach((packet, i) => {
        const at = address + i * DESCRIPTOR.bytes;
        memory.view.setUint32(at + DESCRIPTOR.address, packet.address, true);
        memory.view.setUint32(at + DESCRIPTOR.length, packet.length, true);
      });
      return { address, count: packets.length };
    };
    this.opening = describe(place(scenario.opening));
    const packets = place(scenario.packets);
    let state = 1;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    this.measured = describe(Array.from({ length: MEASURED_PACKETS }, () => packets[random(packets.length)]));
  }

  get bytes(): Uint8Array {
    return this.world.memory.bytes.subarray(0, this.windowBytes);
  }

  /** r0 of each measured packet. */
  results(bytes: Uint8Array = this.bytes): BigUint64Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return BigUint64Array.from({ length: this.measured.count }, (_, i) =>
      view.getBigUint64(this.measured.address + i * DESCRIPTOR.bytes + DESCRIPTOR.result, true),
    );
  }
}

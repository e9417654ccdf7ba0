import { readdirSync } from 'node:fs';
import { type DriverCounters, type LargeBuffers, PACKET_START, type PacketBatch, type PortDriver } from './driver.ts';
import { ifNameToIndex, openError } from './linux.ts';
import { finishPacket, isUnfinished, VIRTIO_HEADER_BYTES } from './virtio-header.ts';
import { type XdpMode, XdpProgram } from './xdp-program.ts';
import { MAX_FRAME_PACKET, XdpSocket } from './xdp-socket.ts';

export interface AfXdpOptions {
  /** How the program sits on the device; undefined tries native, then skb. */
  readonly mode?: XdpMode;
  /** The device's receive queues; undefined takes all. */
  readonly queues?: readonly number[];
}

/**
 * A network device through AF_XDP: the most packets a second. The device's checksums must be finished by its sender, for
 * AF_XDP carries no offloads (`ethtool -K PEER tx off` on a veth peer).
 */
export class AfXdpDriver implements PortDriver {
  readonly name: string;
  readonly descriptors: readonly number[];
  readonly alwaysReady = false;
  readonly counters: DriverCounters = { rxErrors: 0, rxDropped: 0, txErrors: 0 };
  readonly mode: XdpMode;
  readonly #sockets: XdpSocket[] = [];
  readonly #program: XdpProgram;
  #nextSocket = 0;

  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(name: string, { mode, queues = receiveQueues(name) }: AfXdpOptions = {}) {
    this.name = name;
    const index = ifNameToIndex(name) as number;
    if (index === 0) throw openError(name);
    const modes: readonly XdpMode[] = mode === undefined ? ['native', 'skb'] : [mode];
    this.#program = new XdpProgram(name, index, Math.max(...queues) + 1, modes);
    this.mode = this.#program.mode;
    try {
      for (const queue of queues) {
        const socket = new XdpSocket(name, index, queue);
        this.#sockets.push(socket);
        if (!this.#program.direct(queue, socket.fd)) throw openError(name);
      }
    } catch (error) {
      this.close();
      throw error;
    }
    this.descriptors = this.#sockets.map(({ fd }) => fd);
  }

  receive(batch: PacketBatch, limit: number, _large: LargeBuffers): number {
    const { bytes, buffers, capacities, starts, lengths } = batch;
    let count = 0;
    const take = (frames: Uint8Array, start: number, length: number): void => {
      if (length > capacities[count] - PACKET_START) {
        this.counters.rxErrors++;
        return;
      }
      const buffer = buffers[count];
      bytes.fill(0, buffer, buffer + VIRTIO_HEADER_BYTES);
      bytes.set(frames.subarray(start, start + length), buffer + PACKET_START);
      starts[count] = buffer + PACKET_START;
      lengths[count] = length;
      count++;
    };
    // Each call begins with another queue, so that none waits for ever.
    for (let i = 0; i < this.#sockets.length && count < limit; i++)
      this.#sockets[(this.#nextSocket + i) % this.#sockets.length].receive(limit - count, take);
    this.#nextSocket = (this.#nextSocket + 1) % this.#sockets.length;
    return count;
  }

  transmit({ bytes, buffers, starts, lengths }: PacketBatch, count: number): number {
    const socket = this.#sockets[0];
    let sent = 0;
    for (let i = 0; i < count; i++) {
      const header = buffers[i];
      if (isUnfinished(bytes, header)) {
        const packet = bytes.subarray(starts[i], starts[i] + lengths[i]);
        const pieces = finishPacket(bytes.subarray(header, header + VIRTIO_HEADER_BYTES), packet);
        if (pieces.length === 0 || pieces.some((piece) => piece.length > MAX_FRAME_PACKET)) {
          this.counters.txErrors++;
          continue;
        }
        if (!pieces.every((piece) => socket.queue(piece, 0, piece.length))) break;
      } else if (lengths[i] > MAX_FRAME_PACKET) {
        this.counters.txErrors++;
        continue;
      } else if (!socket.queue(bytes, starts[i], lengths[i])) break;
      sent++;
    }
    socket.flush();
    return sent;
  }

  close(): void {
    this.#program.close();
    for (const socket of this.#sockets) socket.close();
  }
}

/** Numbers of a device's receive queues. */
function receiveQueues(name: string): number[] {
  try {
    const queues = readdirSync(`/sys/class/net/${name}/queues`).filter((entry) => entry.startsWith('rx-'));
    return queues.length > 0 ? queues.map((_, i) => i) : [0];
  } catch {
    return [0];
  }
}

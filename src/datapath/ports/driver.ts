/**
 * Packets of the packet pool, as a worker and its ports' drivers pass them on: up to 32 at a time, as arrays side by side.
 * A packet lies in one buffer of the pool:
 *
 *     0                  16                      starts[i] - buffers[i]        + lengths[i]      capacities[i]
 *     | virtio header, 10 | worker's own | headroom | packet ................... | tailroom      |
 *
 * The virtio network header (`virtio-header.ts`) says what is left to be done to the packet: a checksum to be completed, a
 * large segment to be cut. All zeros: nothing. Its checksum start counts from the packet's first byte; who pushes or pops a
 * tag moves it along.
 */
export interface PacketBatch {
  /** The whole pool's memory; offsets below count from its first byte. */
  readonly bytes: Uint8Array;
  /** Machine address of byte 0. */
  readonly address: bigint;
  /** Offset of each packet's buffer. */
  readonly buffers: Uint32Array;
  /** Bytes of each buffer. */
  readonly capacities: Uint32Array;
  /** Offset of each packet's first byte. */
  readonly starts: Uint32Array;
  /** Bytes of each packet. */
  readonly lengths: Uint32Array;
}

export const BATCH_PACKETS = 32;

/** Where a driver puts the first byte of a packet, counted from the buffer's: room for tags and tunnel headers before it. */
export const PACKET_START = 128;

/** Gives the buffer of a packet that does not fit the one it was given: offset, or 0 when there is none. */
export type LargeBuffers = (bytes: number) => { readonly buffer: number; readonly capacity: number } | undefined;

/** What a port's driver has counted of packets that never reached the worker, or never left it; each from the port's opening. */
export interface DriverCounters {
  /** Packets without sense: too short, a header that contradicts itself. */
  rxErrors: number;
  /** Packets given up because no large buffer was free, and those that the kernel dropped for want of room. */
  rxDropped: number;
  /** Packets longer than the device takes. */
  txErrors: number;
}

/** A port of one thread: what it has received, and what it is to send. Nothing here blocks. */
export interface PortDriver {
  readonly name: string;
  /** Descriptors that poll(2) finds readable when packets have come; none when there is nothing to wait for. */
  readonly descriptors: readonly number[];
  /** Whether `receive` always finds packets, as a generator's does: such a port keeps its worker awake. */
  readonly alwaysReady: boolean;
  readonly counters: Readonly<DriverCounters>;

  /**
   * Takes up to `limit` packets into `batch`, whose first `limit` buffers are free, and sets their starts, lengths and virtio
   * headers. A packet too large for its buffer goes into one of `large`, and takes its place in the batch; the buffer it was
   * given instead stays with the caller, who compares.
   *
   * @returns how many
   */
  receive(batch: PacketBatch, limit: number, large: LargeBuffers): number;

  /**
   * Sends the first `count` packets of `batch`. The buffers are the caller's again when this returns.
   *
   * @returns how many went out; the rest found no room
   */
  transmit(batch: PacketBatch, count: number): number;

  close(): void;
}

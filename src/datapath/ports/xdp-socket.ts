import { PACKET_START } from './driver.ts';
import {
  addressOf,
  bind,
  close,
  ERRNO,
  errno,
  getsockopt,
  mmap,
  openError,
  recv,
  send,
  setsockopt,
  socket,
} from './linux.ts';
import { type RingOffsets, XdpRing } from './xdp-ring.ts';

const AF_XDP = 44;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const SOL_XDP = 283;
const OPTION = { mmapOffsets: 1, rxRing: 2, txRing: 3, umem: 4, fillRing: 5, completionRing: 6, txBudget: 9 } as const;
const XDP_COPY = 1 << 1;
const XDP_USE_NEED_WAKEUP = 1 << 3;
const MSG_DONTWAIT = 0x40;
const PROT_READ_WRITE = 3;
const MAP = { shared: 1, private: 2, fixed: 0x10, anonymous: 0x20, populate: 0x8000 } as const;
/** Where mmap(2) finds each ring. */
const PAGE_OFFSET = { rx: 0n, tx: 0x80000000n, fill: 0x100000000n, completion: 0x180000000n } as const;

const PAGE_BYTES = 65_536;
export const FRAME_BYTES = 2048;
const RECEIVE_FRAMES = 2048;
const SEND_FRAMES = 2048;
const RING_ENTRIES = 2048;
/** A send(2) moves so many packets. */
const SEND_BUDGET = 256;
/** The rings lie behind the frames, each at a page of its own, with room for the entries and the counters before them. */
const RING_BYTES = PAGE_BYTES;
const FRAMES_BYTES = (RECEIVE_FRAMES + SEND_FRAMES) * FRAME_BYTES;
const RING_NAMES = ['rx', 'tx', 'fill', 'completion'] as const;

/** What the kernel leaves free before a received packet, XDP_PACKET_HEADROOM, limits what a frame can hold. */
export const MAX_FRAME_PACKET = FRAME_BYTES - 256;

/**
 * An AF_XDP socket on one receive queue of a device, in copy mode, with frames and rings in memory of its own (a WebAssembly
 * memory, for it lies at a page's start). The first half of the frames is for receiving, the rest for sending.
 */
export class XdpSocket {
  readonly fd: number;
  readonly #bytes: Uint8Array;
  readonly #base: bigint;
  readonly #rx: XdpRing;
  readonly #tx: XdpRing;
  readonly #fill: XdpRing;
  readonly #completion: XdpRing;
  /** Frames to send from, as a stack. */
  readonly #free = new Uint32Array(SEND_FRAMES);
  #freeCount = 0;
  #txPosition = 0;

  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(device: string, index: number, queue: number) {
    const pages = (FRAMES_BYTES + RING_NAMES.length * RING_BYTES) / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const shared = memory.buffer as unknown as SharedArrayBuffer;
    this.#bytes = new Uint8Array(shared);
    this.#base = addressOf(this.#bytes);
    this.fd = socket(AF_XDP, SOCK_RAW_CLOEXEC, 0) as number;
    if (this.fd < 0) throw openError(device);
    try {
      this.#registerFrames(device);
      const offsets = this.#mapRings(device);
      const ring = (i: number, entryBytes: 8 | 16) =>
        new XdpRing(shared, FRAMES_BYTES + i * RING_BYTES, offsets[i], RING_ENTRIES, entryBytes);
      this.#rx = ring(0, 16);
      this.#tx = ring(1, 16);
      this.#fill = ring(2, 8);
      this.#completion = ring(3, 8);
      const address = new DataView(new ArrayBuffer(16)); // struct sockaddr_xdp
      address.setUint16(0, AF_XDP, true);
      address.setUint16(2, XDP_COPY | XDP_USE_NEED_WAKEUP, true);
      address.setUint32(4, index, true);
      address.setUint32(8, queue, true);
      if (bind(this.fd, new Uint8Array(address.buffer), 16) !== 0) throw openError(device);
      // An older kernel moves 32 packets at a time instead, and is called more often.
      this.#setOption(OPTION.txBudget, SEND_BUDGET);
    } catch (error) {
      this.close();
      throw error;
    }
    for (let i = 0; i < RECEIVE_FRAMES; i++) this.#fill.set(i, i * FRAME_BYTES);
    this.#fill.produce(RECEIVE_FRAMES);
    for (let i = 0; i < SEND_FRAMES; i++) this.#free[this.#freeCount++] = (RECEIVE_FRAMES + i) * FRAME_BYTES;
  }

  #registerFrames(device: string): void {
    const registration = new DataView(new ArrayBuffer(32)); // struct xdp_umem_reg
    registration.setBigUint64(0, this.#base, true);
    registration.setBigUint64(8, BigInt(FRAMES_BYTES), true);
    registration.setUint32(16, FRAME_BYTES, true);
    if (setsockopt(this.fd, SOL_XDP, OPTION.umem, new Uint8Array(registration.buffer), 32) !== 0)
      throw openError(device);
    for (const option of [OPTION.fillRing, OPTION.completionRing, OPTION.rxRing, OPTION.txRing])
      if (!this.#setOption(option, RING_ENTRIES)) throw openError(device);
  }

  #setOption(option: number, value: number): boolean {
    return setsockopt(this.fd, SOL_XDP, option, new Uint8Array(new Int32Array([value]).buffer), 4) === 0;
  }

  /** Maps the rings into the memory; the kernel says where each has what. */
  #mapRings(device: string): RingOffsets[] {
    const told = new DataView(new ArrayBuffer(128)); // struct xdp_mmap_offsets: four times four 64-bit offsets
    const length = new Uint8Array(new Uint32Array([told.byteLength]).buffer);
    if (getsockopt(this.fd, SOL_XDP, OPTION.mmapOffsets, new Uint8Array(told.buffer), length) !== 0)
      throw openError(device);
    return RING_NAMES.map((name, i) => {
      const offset = (field: number) => Number(told.getBigUint64(32 * i + 8 * field, true));
      const flags = MAP.shared | MAP.fixed | MAP.populate;
      const at = this.#base + BigInt(FRAMES_BYTES + i * RING_BYTES);
      const bytes = offset(2) + RING_ENTRIES * (i < 2 ? 16 : 8);
      if (bytes > RING_BYTES || Number(mmap(at, bytes, PROT_READ_WRITE, flags, this.fd, PAGE_OFFSET[name])) < 0)
        throw openError(device, bytes > RING_BYTES ? ERRNO.EINVAL : errno());
      return { producer: offset(0), consumer: offset(1), descriptors: offset(2), flags: offset(3) };
    });
  }

  /**
   * Takes up to `limit` packets: `take` copies each from the frames, and says whether it wants more.
   *
   * @returns how many were taken
   */
  receive(limit: number, take: (frames: Uint8Array, start: number, length: number) => void): number {
    const first = this.#rx.consumer;
    const count = Math.min(limit, this.#rx.ready);
    const refill = this.#fill.producer;
    for (let i = 0; i < count; i++) {
      const address = this.#rx.address(first + i);
      take(this.#bytes, address, this.#rx.length(first + i));
      this.#fill.set(refill + i, address - (address % FRAME_BYTES));
    }
    if (count > 0) {
      this.#rx.consume(first + count);
      this.#fill.produce(refill + count);
    }
    if (this.#fill.needsWakeup) recv(this.fd, null, 0, MSG_DONTWAIT);
    return count;
  }

  /** Puts a packet into the ring; `flush` sends it on its way. False when there is no room. */
  queue(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#freeCount === 0) this.#reclaim();
    if (this.#freeCount === 0 || this.#tx.room === 0) return false;
    const frame = this.#free[--this.#freeCount];
    this.#bytes.set(bytes.subarray(start, start + length), frame + PACKET_START);
    this.#tx.set(this.#txPosition, frame + PACKET_START, length);
    this.#tx.produce(++this.#txPosition);
    return true;
  }

  /** Has the kernel send what is in the ring. */
  flush(): void {
    while (this.#tx.ready > 0) {
      const before = this.#tx.ready;
      const result = Number(send(this.fd, 0n, 0, MSG_DONTWAIT));
      this.#reclaim();
      if (result < 0 && errno() !== ERRNO.EINTR && errno() !== ERRNO.EAGAIN) return;
      if (this.#tx.ready >= before) return;
    }
    this.#reclaim();
  }

  /** Takes back the frames that were sent. */
  #reclaim(): void {
    const first = this.#completion.consumer;
    const count = this.#completion.ready;
    for (let i = 0; i < count; i++) {
      const address = this.#completion.address(first + i);
      this.#free[this.#freeCount++] = address - (address % FRAME_BYTES);
    }
    if (count > 0) this.#completion.consume(first + count);
  }

  close(): void {
    // A mapping would keep the socket, and so the queue, until the memory is collected.
    const flags = MAP.private | MAP.fixed | MAP.anonymous;
    const at = this.#base + BigInt(FRAMES_BYTES);
    mmap(at, RING_NAMES.length * RING_BYTES, PROT_READ_WRITE, flags, -1, 0n);
    close(this.fd);
  }
}

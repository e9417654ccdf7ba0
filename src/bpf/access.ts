import { FRAME_BYTES, MAX_FRAMES } from './thread.ts';
import type { ViolationKind } from './violation.ts';

/** Why an access is not allowed. */
export interface Refusal {
  readonly kind: ViolationKind;
  readonly what: string;
}

interface Region {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly writable: boolean;
}

/**
 * What a running program may touch, byte by byte: its packet, the stack frames of the functions that run, and the map values
 * that it looked up or refers to. Remembers which stack bytes were written.
 */
export class AccessRights {
  readonly #stackTop: number;
  /** By distance below the stack's top. */
  readonly #written = new Uint8Array(MAX_FRAMES * FRAME_BYTES);
  #frames = 1;
  #packet: Region = { name: 'packet', start: 0, end: 0, writable: false };
  readonly #values = new Map<number, Region>();
  #lastValue: Region | undefined;

  constructor(stackTop: number) {
    this.#stackTop = stackTop;
  }

  /** A new run over `length` bytes of packet at `address`. */
  begin(address: number, length: number, writable: boolean): void {
    this.#packet = { name: 'packet', start: address, end: address + length, writable };
    this.#frames = 1;
    this.#written.fill(0, 0, FRAME_BYTES);
    this.#values.clear();
    this.#lastValue = undefined;
  }

  get frames(): number {
    return this.#frames;
  }

  /** A local function begins, with a frame of its own that nobody wrote yet. */
  enterFrame(): void {
    this.#written.fill(0, this.#frames * FRAME_BYTES, (this.#frames + 1) * FRAME_BYTES);
    this.#frames++;
  }

  leaveFrame(): void {
    this.#frames--;
  }

  grantValue(name: string, start: number, bytes: number, writable: boolean): void {
    if (!this.#values.has(start))
      this.#values.set(start, { name: `value of map ${name}`, start, end: start + bytes, writable });
  }

  read(address: bigint, bytes: number): Refusal | undefined {
    const stack = this.#stackDistance(address, bytes);
    if (stack === undefined)
      return this.#region(address, bytes) === undefined ? this.#outside('read', address, bytes) : undefined;
    for (let i = 0; i < bytes; i++)
      if (this.#written[stack - 1 - i] === 0)
        return { kind: 'uninitialised-stack', what: `stack byte ${i - stack} was never written` };
    return undefined;
  }

  write(address: bigint, bytes: number): Refusal | undefined {
    const stack = this.#stackDistance(address, bytes);
    if (stack !== undefined) {
      this.#written.fill(1, stack - bytes, stack);
      return undefined;
    }
    const region = this.#region(address, bytes);
    if (region === undefined) return this.#outside('write', address, bytes);
    if (!region.writable)
      return {
        kind: 'write-read-only',
        what: `${bytes} bytes at offset ${Number(address) - region.start} of the ${region.name}`,
      };
    return undefined;
  }

  /** Takes stack bytes that were just written as never written; false when they are not on the stack. */
  forget(address: number, bytes: number): boolean {
    const stack = this.#stackDistance(BigInt(address), bytes);
    if (stack === undefined) return false;
    this.#written.fill(0, stack - bytes, stack);
    return true;
  }

  /** How far below the stack's top the access starts, if it lies in one of the running frames. */
  #stackDistance(address: bigint, bytes: number): number | undefined {
    const distance = this.#stackTop - Number(address);
    if (distance < bytes || distance > this.#frames * FRAME_BYTES) return undefined;
    const frame = Math.ceil(distance / FRAME_BYTES);
    return distance - bytes >= (frame - 1) * FRAME_BYTES ? distance : undefined;
  }

  #region(address: bigint, bytes: number): Region | undefined {
    const start = Number(address);
    const holds = (region: Region | undefined): region is Region =>
      region !== undefined && start >= region.start && start + bytes <= region.end;
    if (holds(this.#packet)) return this.#packet;
    if (holds(this.#lastValue)) return this.#lastValue;
    for (const region of this.#values.values()) {
      if (!holds(region)) continue;
      this.#lastValue = region;
      return region;
    }
    return undefined;
  }

  #outside(verb: 'read' | 'write', address: bigint, bytes: number): Refusal {
    return {
      kind: verb === 'read' ? 'read-out-of-bounds' : 'write-out-of-bounds',
      what: `${verb} of ${bytes} bytes at ${this.#describe(address)}`,
    };
  }

  /** An address as an offset from what is nearest to be meant. */
  #describe(address: bigint): string {
    const at = Number(address);
    const { start, end } = this.#packet;
    if (at >= start - FRAME_BYTES && at < end + 65536)
      return `offset ${at - start} of a packet of ${end - start} bytes`;
    const distance = this.#stackTop - at;
    if (distance <= MAX_FRAMES * FRAME_BYTES && distance >= -FRAME_BYTES) return `stack byte ${-distance}`;
    for (const region of this.#values.values())
      if (at >= region.start - FRAME_BYTES && at < region.end + FRAME_BYTES)
        return `offset ${at - region.start} of a ${region.name} of ${region.end - region.start} bytes`;
    return `address 0x${address.toString(16)}`;
  }
}

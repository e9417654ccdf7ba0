import type { Port } from '../port.ts';

/** A port on a kernel device: a descriptor to wait for, and packets to take from it. */
export interface DevicePort extends Port {
  readonly fd: number;
  /** Hands over what has arrived, `limit` packets at most; false when there was nothing. The bytes are reused afterwards. */
  receive(limit: number, deliver: (packet: Uint8Array) => void): boolean;
  close(): void;
}

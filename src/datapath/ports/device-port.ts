import type { Port } from '../port.ts';

/** A port that packets come in by: descriptors to wait for, and packets to take. */
export interface DevicePort extends Port {
  /** Descriptors that poll(2) finds readable when packets have come. */
  readonly descriptors: readonly number[];
  /** Whether there are always packets to take, so that there is nothing to wait for. */
  readonly alwaysReady: boolean;
  /** Hands over what has arrived, `limit` packets at most; false when there was nothing. The bytes are reused afterwards. */
  receive(limit: number, deliver: (packet: Uint8Array) => void): boolean;
  close(): void;
}

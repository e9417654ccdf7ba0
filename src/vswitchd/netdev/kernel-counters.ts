import { readFileSync } from 'node:fs';
import type { DeviceStatistics } from './network-device.ts';

/** The columns of /proc/net/dev after the name (proc(5)). */
const COLUMNS = [
  ...['rxBytes', 'rxPackets', 'rxErrors', 'rxDropped', 'rxFifo', 'rxFrame', 'rxCompressed', 'rxMulticast'],
  ...['txBytes', 'txPackets', 'txErrors', 'txDropped', 'txFifo', 'collisions', 'txCarrier', 'txCompressed'],
] as const;

/** How long counters that were read are good for. */
const MAX_AGE_MS = 500;

/** The counters of all network devices, read at once when somebody asks, which is cheaper than one by one. */
export class KernelCounters {
  #readMs = Number.NEGATIVE_INFINITY;
  #lines = new Map<string, string>();

  /** As the host counts them: received is what came from the wire. */
  of(name: string): DeviceStatistics | undefined {
    this.#refresh();
    const line = this.#lines.get(name);
    if (line === undefined) return undefined;
    const numbers = line.trim().split(/\s+/).map(Number);
    const at = (column: (typeof COLUMNS)[number]): number => numbers[COLUMNS.indexOf(column)] ?? 0;
    return {
      collisions: at('collisions'),
      rx_bytes: at('rxBytes'),
      rx_crc_err: 0,
      rx_dropped: at('rxDropped'),
      rx_errors: at('rxErrors'),
      rx_frame_err: at('rxFrame'),
      rx_missed_errors: 0,
      rx_multicast_packets: at('rxMulticast'),
      rx_over_err: at('rxFifo'),
      rx_packets: at('rxPackets'),
      tx_bytes: at('txBytes'),
      tx_dropped: at('txDropped'),
      tx_errors: at('txErrors'),
      tx_packets: at('txPackets'),
    };
  }

  #refresh(): void {
    const nowMs = performance.now();
    if (nowMs - this.#readMs < MAX_AGE_MS) return;
    this.#readMs = nowMs;
    this.#lines = new Map();
    for (const line of readFileSync('/proc/self/net/dev', 'utf8').split('\n')) {
      const colon = line.lastIndexOf(':');
      if (colon > 0) this.#lines.set(line.slice(0, colon).trim(), line.slice(colon + 1));
    }
  }
}

/** The same from the other end: what the host sends into its end of a tap device comes in by the port. */
export function reversed(counters: DeviceStatistics): DeviceStatistics {
  return {
    ...counters,
    rx_bytes: counters.tx_bytes,
    rx_packets: counters.tx_packets,
    rx_dropped: counters.tx_dropped,
    rx_errors: counters.tx_errors,
    tx_bytes: counters.rx_bytes,
    tx_packets: counters.rx_packets,
    tx_dropped: counters.rx_dropped,
    tx_errors: counters.rx_errors,
  };
}

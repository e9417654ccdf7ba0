import type { CapturedPacket } from '../../packet/index.ts';

/** A packet and the port that it comes in by. */
export interface Arrival {
  readonly port: number;
  readonly packet: CapturedPacket;
}

interface Source {
  readonly port: number;
  readonly rest: Iterator<CapturedPacket>;
  next: CapturedPacket;
}

/**
 * The packets of several captures in the order of their times; at equal times in the order of the ports. Within one capture the order of the
 * file stays, even if its times do not ascend.
 */
export function* mergeCaptures(
  captures: Iterable<readonly [number, Iterable<CapturedPacket>]>,
): Generator<Arrival, void> {
  const sources: Source[] = [];
  try {
    for (const [port, packets] of captures) {
      const rest = packets[Symbol.iterator]();
      const first = rest.next();
      if (!first.done) sources.push({ port, rest, next: first.value });
    }
    sources.sort((a, b) => a.port - b.port);
    while (sources.length > 0) {
      const earliest = sources.reduce((a, b) => (b.next.timestampNs < a.next.timestampNs ? b : a));
      yield { port: earliest.port, packet: earliest.next };
      const following = earliest.rest.next();
      if (following.done) sources.splice(sources.indexOf(earliest), 1);
      else earliest.next = following.value;
    }
  } finally {
    for (const source of sources) source.rest.return?.();
  }
}

import type { Port } from '../../datapath/index.ts';

/** Takes a packet that comes in by a port. */
export type Inlet = (packet: Uint8Array) => void;

interface PatchEnd {
  readonly peer: string;
  inlet: Inlet | undefined;
}

/** The patch ports of all bridges, by name: what one sends comes in by its peer, if that one names it as its own. */
export class PatchPanel {
  readonly #ends = new Map<string, PatchEnd>();

  /** Adds an end. Packets come out of it once it has an inlet. */
  add(name: string, peer: string): Port {
    this.#ends.set(name, { peer, inlet: undefined });
    return {
      name,
      send: (packet) => {
        const end = this.#ends.get(peer);
        if (end?.peer !== name || end.inlet === undefined) return false;
        end.inlet(packet);
        return true;
      },
    };
  }

  connect(name: string, inlet: Inlet): void {
    const end = this.#ends.get(name);
    if (end !== undefined) end.inlet = inlet;
  }

  remove(name: string): void {
    this.#ends.delete(name);
  }
}

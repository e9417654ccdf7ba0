import { ethernet, ipv4, tcp, udp } from '../../src/packet/index.ts';

/** One direction of a connection. */
export interface Flow {
  readonly src: number;
  readonly dst: number;
  readonly protocol: 6 | 17;
  readonly srcPort: number;
  readonly dstPort: number;
}

const SOURCES = 0xac100000; // 172.16.0.0
const DESTINATIONS = 0x0a010000; // 10.1.0.0
const FRAME_BYTES = 64;

/** Numbers that look random and are the same in every run (xorshift32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 up to, not including, `bound`. */
  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  word(): number {
    return (this.below(0x10000) * 0x10000 + this.below(0x10000)) >>> 0;
  }

  /** A place in a list of weights. */
  weighted(weights: readonly number[]): number {
    let rest = this.below(weights.reduce((sum, weight) => sum + weight, 0));
    return weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
  }
}

export function address(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
}

/** So many connections to so many destinations. */
export function connections(count: number, destinations: number): Flow[] {
  return Array.from({ length: count }, (_, i) => ({
    src: SOURCES + (i & 0xfff),
    dst: DESTINATIONS + (i % destinations),
    ...{ protocol: 6 as const, srcPort: 1024 + (i >> 12), dstPort: 80 },
  }));
}

/** `ip,nw_dst=…` for each of so many destinations. */
export function exactRules(count: number, actions: string): string[] {
  return Array.from(
    { length: count },
    (_, i) => `priority=100,ip,nw_dst=${address(DESTINATIONS + i)},actions=${actions}`,
  );
}

interface AclRule {
  readonly text: string;
  readonly draw: (dice: Dice) => Flow;
}

const PREFIXES = [0, 8, 16, 20, 24, 28, 32];
const PORTS = [22, 25, 53, 80, 123, 443, 3306, 8080];

/** An access list as they are: prefixes of many lengths in few networks, ports and port ranges, one in ten drops. */
export function accessList(count: number): {
  readonly rules: readonly string[];
  readonly flows: (count: number) => Flow[];
} {
  const dice = new Dice(7);
  const networks = Array.from({ length: 64 }, () => dice.word());
  const list: AclRule[] = [];
  for (let i = 0; i < count; i++) list.push(aclRule(dice, networks, 65_000 - i));
  return {
    rules: ['priority=0,actions=output:2', ...list.map(({ text }) => text)],
    flows: (wanted) => {
      const drawn = new Map<string, Flow>();
      const draws = new Dice(11);
      for (let i = 0; drawn.size < wanted; i++) {
        const flow = list[i % list.length].draw(draws);
        drawn.set(Object.values(flow).join(), flow);
      }
      return [...drawn.values()];
    },
  };
}

function aclRule(dice: Dice, networks: readonly number[], priority: number): AclRule {
  const protocol = dice.weighted([80, 20]) === 0 ? 6 : 17;
  const prefix = (weights: readonly number[]): { bits: number; base: number; mask: number } => {
    const bits = PREFIXES[dice.weighted(weights)];
    const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
    const near = bits > 12 ? dice.below(0x10000) : 0;
    return { bits, mask, base: ((networks[dice.below(64)] ^ near) & mask) >>> 0 };
  };
  const src = prefix([30, 3, 12, 8, 22, 5, 20]);
  const dst = prefix([2, 3, 15, 10, 30, 10, 30]);
  const kind = dice.weighted([25, 55, 20]);
  const rangeMask = (0xffff << [4, 6, 8, 10][dice.below(4)]) & 0xffff;
  const portMask = kind === 0 ? 0 : kind === 1 ? 0xffff : rangeMask;
  const anyPort = dice.weighted([50, 50]) === 0 ? PORTS[dice.below(PORTS.length)] : 1024 + dice.below(64_000);
  const port = anyPort & portMask;
  const srcPort = dice.below(20) === 0 ? 1024 + dice.below(64_000) : undefined;
  const match = [`priority=${priority}`, protocol === 6 ? 'tcp' : 'udp'];
  if (src.bits > 0) match.push(`nw_src=${address(src.base)}/${src.bits}`);
  if (dst.bits > 0) match.push(`nw_dst=${address(dst.base)}/${dst.bits}`);
  if (srcPort !== undefined) match.push(`tp_src=${srcPort}`);
  if (portMask === 0xffff) match.push(`tp_dst=${port}`);
  else if (portMask !== 0) match.push(`tp_dst=0x${port.toString(16)}/0x${portMask.toString(16)}`);
  return {
    text: `${match.join(',')},actions=${dice.below(10) === 0 ? 'drop' : 'output:2'}`,
    draw: (draws) => ({
      src: (src.base | (draws.word() & ~src.mask)) >>> 0,
      dst: (dst.base | (draws.word() & ~dst.mask)) >>> 0,
      ...{ protocol, srcPort: srcPort ?? 1024 + draws.below(64_000) },
      dstPort: (port | (draws.below(0x10000) & ~portMask)) & 0xffff,
    }),
  };
}

const mac = (number: number): string =>
  `02:00:00:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`;
/** Where packets go on the second layer. */
export const TARGET_MAC = mac(2);

/** Frames of 64 bytes, one for each flow, shuffled. With `stations`, from so many addresses. */
export function frames(flows: readonly Flow[], stations = 1): Uint8Array[] {
  const dice = new Dice(3);
  const packets = flows.map(({ src, dst, protocol, srcPort, dstPort }, i) => {
    const headers = 14 + 20 + (protocol === 6 ? 20 : 8);
    const ports = { src: srcPort, dst: dstPort };
    const payload = new Uint8Array(FRAME_BYTES - headers);
    const inner = protocol === 6 ? tcp({ ...ports, flags: 0x10 }, payload) : udp(ports, payload);
    const ends = { src: address(src), dst: address(dst), ttl: 64 };
    return ethernet({ src: mac(stations > 1 ? 0x100 + (i % stations) : 1), dst: TARGET_MAC }, ipv4(ends, inner));
  });
  for (let i = packets.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [packets[i], packets[j]] = [packets[j], packets[i]];
  }
  return packets;
}

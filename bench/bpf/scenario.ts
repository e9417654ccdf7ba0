import { readFileSync } from 'node:fs';
import { loadObject, type MapDefinition, type Program } from '../../src/bpf/index.ts';
import { ethernet, ipv4, TCP_FLAG, type TransportPacket, tcp, udp } from '../../src/packet/build.ts';
import { repositoryRoot } from '../repository.ts';

/** One filter under one load. */
export interface Scenario {
  readonly filter: string;
  readonly flows: number;
  readonly program: Program;
  /** Run once before anything is measured: they open what the measured packets belong to. */
  readonly opening: readonly Uint8Array[];
  readonly packets: readonly Uint8Array[];
  /** What the operator would have put into the maps: map name, key, value. */
  readonly settings: readonly (readonly [map: string, key: Uint8Array, value: Uint8Array])[];
}

const bytesOf = (...words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

const inside = (flow: number): string => `10.${(flow >> 16) & 255}.${(flow >> 8) & 255}.${flow & 255}`;
const outside = (flow: number): string => `198.51.${(flow >> 7) & 255}.${1 + (flow & 127)}`;

function frame(src: string, dst: string, transport: TransportPacket): Uint8Array {
  const addresses = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };
  return ethernet(addresses, ipv4({ src, dst, dontFragment: true }, transport));
}

const flowNumbers = (flows: number): number[] => Array.from({ length: flows }, (_, flow) => flow);

/** A client's packet of an established connection, with some payload. */
function request(flow: number, flags: number = TCP_FLAG.ack | TCP_FLAG.psh): Uint8Array {
  const header = { src: 1024 + (flow % 60_000), dst: 443, seq: 1000 + flow, ack: 77, flags, window: 501 };
  return frame(inside(flow), outside(flow), tcp(header, new Uint8Array(flags & TCP_FLAG.syn ? 0 : 16)));
}

function answer(flow: number): Uint8Array {
  const header = { src: 443, dst: 1024 + (flow % 60_000), seq: 5000 + flow, ack: 1000 + flow, flags: TCP_FLAG.ack };
  return frame(outside(flow), inside(flow), tcp(header));
}

const MSS_SACK_SCALE = (scale: number): Uint8Array =>
  Uint8Array.of(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, scale);

interface Load {
  readonly filter: string;
  packets(flows: number): Uint8Array[];
  opening?(flows: number): Uint8Array[];
  readonly settings?: Scenario['settings'];
}

/** The five classic filters, each with the traffic that it is for. */
const LOADS: readonly Load[] = [
  {
    filter: 'stateless-firewall',
    packets: (flows) =>
      flowNumbers(flows).map((flow) =>
        flow % 4 === 3
          ? frame(inside(flow), outside(flow), udp({ src: 4000 + (flow % 1000), dst: 53 }))
          : request(flow),
      ),
  },
  {
    filter: 'stateful-firewall',
    opening: (flows) => flowNumbers(flows).map((flow) => request(flow, TCP_FLAG.syn)),
    packets: (flows) => flowNumbers(flows).map((flow) => (flow % 2 === 0 ? request(flow) : answer(flow))),
  },
  {
    filter: 'rate-limiter',
    packets: (flows) => flowNumbers(flows).map((flow) => request(flow)),
    // 2^40 packets in 1 second: every packet is counted and passes.
    settings: [['limits', bytesOf(6), bytesOf(0, 256, 1, 0)]],
  },
  {
    filter: 'tcp-diagnosis',
    packets: (flows) => flowNumbers(flows).map((flow) => (flow % 2 === 0 ? request(flow) : answer(flow))),
  },
  {
    filter: 'tcp-fingerprint',
    packets: (flows) =>
      flowNumbers(flows).map((flow) =>
        frame(
          inside(flow),
          outside(flow),
          tcp({ src: 1024 + (flow % 60_000), dst: 443, flags: TCP_FLAG.syn, options: MSS_SACK_SCALE(flow % 8) }),
        ),
      ),
  },
];

/** All filters under all loads. */
export function scenarios(flowCounts: readonly number[], names?: readonly string[]): Scenario[] {
  return LOADS.filter(({ filter }) => names === undefined || names.includes(filter)).flatMap((load) => {
    const object = readFileSync(new URL(`examples/${load.filter}.o`, repositoryRoot));
    const program = loadObject(object).select();
    return flowCounts.map((flows) => ({
      filter: load.filter,
      flows,
      program,
      opening: load.opening?.(flows) ?? [],
      packets: load.packets(flows),
      settings: load.settings ?? [],
    }));
  });
}

export function mapNamed(maps: readonly MapDefinition[], name: string): number {
  const index = maps.findIndex((map) => map.name === name);
  if (index < 0) throw new Error(`the program has no map ${name}`);
  return index;
}

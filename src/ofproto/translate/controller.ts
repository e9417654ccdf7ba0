import { type Field, field, type Match, MatchBuilder, REG_COUNT, readField } from '../../packet/index.ts';
import type { PacketIn } from '../listeners.ts';

/** What is to be told of a packet that goes to controllers, apart from its bytes. */
export interface ControllerNote {
  readonly reason: number;
  readonly miss: PacketIn['miss'];
  readonly table: number;
  readonly cookie: bigint;
  readonly maxLen: number;
  readonly controllerId: number;
  readonly userdata: Uint8Array | undefined;
  readonly key: Uint8Array;
}

/** Maps that go to controllers instead of a packet. */
export interface MapsNote {
  readonly program: number;
  /** By their numbers. */
  readonly maps: readonly number[];
}

const IN_PORT = field('in_port_oxm');
/** What a packet-in tells where it is not zero, beside the port. */
const METADATA_FIELDS: readonly Field[] = [
  ...['tun_id', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst', 'metadata', 'pkt_mark'],
  ...Array.from({ length: REG_COUNT }, (_, i) => `reg${i}`),
  ...['ct_state', 'ct_zone', 'ct_mark', 'ct_label'],
].map((name) => field(name));

/** What the pipeline knows beside the packet. */
export function pipelineMetadata(key: Uint8Array): Match {
  const builder = new MatchBuilder();
  builder.set(IN_PORT, readField(IN_PORT, key));
  for (const metadata of METADATA_FIELDS) {
    const value = readField(metadata, key);
    if (value.some((byte) => byte !== 0)) builder.set(metadata, value);
  }
  return builder.build();
}

/** Notes of packets for controllers, by the number in the datapath's action; equal ones share a number. */
export class ControllerNotes {
  #next = 0;
  #ids = new Map<string, number>();
  #current = new Map<number, PacketIn | MapsNote>();
  #previous = new Map<number, PacketIn | MapsNote>();

  add(note: ControllerNote): number {
    const { reason, miss, table, cookie, maxLen, controllerId, userdata } = note;
    const packetIn: PacketIn = {
      ...{ reason, miss, table, cookie, maxLen, controllerId },
      ...(userdata === undefined ? {} : { userdata }),
      packet: NO_PACKET,
      metadata: pipelineMetadata(note.key),
    };
    const numbers = [reason, miss, table, cookie, maxLen, controllerId, userdata?.join('.')].join('/');
    const identity = `${numbers}/${packetIn.metadata.mask.length}/${packetIn.metadata.identity}`;
    return this.#intern(identity, packetIn);
  }

  addMaps(note: MapsNote): number {
    return this.#intern(`maps ${note.program}: ${note.maps}`, note);
  }

  #intern(identity: string, note: PacketIn | MapsNote): number {
    const known = this.#ids.get(identity);
    if (known !== undefined) return known;
    const id = this.#next++;
    this.#ids.set(identity, id);
    this.#current.set(id, note);
    return id;
  }

  /** All but the packet. */
  get(id: number): PacketIn | MapsNote | undefined {
    return this.#current.get(id) ?? this.#previous.get(id);
  }

  startGeneration(): void {
    if (this.#current.size === 0) return;
    this.#previous = this.#current;
    this.#current = new Map();
    this.#ids = new Map();
  }
}

const NO_PACKET = new Uint8Array(0);

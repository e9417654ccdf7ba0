/** Reserved port numbers of OpenFlow 1.1 and later, with which everything but the 1.0 wire format works. */
export const OFPP = {
  max: 0xffffff00,
  unset: 0xfffffff7,
  inPort: 0xfffffff8,
  table: 0xfffffff9,
  normal: 0xfffffffa,
  flood: 0xfffffffb,
  all: 0xfffffffc,
  controller: 0xfffffffd,
  local: 0xfffffffe,
  /** Called ANY where it matches, NONE where it names a port. */
  none: 0xffffffff,
} as const;

const RESERVED_NAMES: readonly (readonly [string, number])[] = [
  ['IN_PORT', OFPP.inPort],
  ['TABLE', OFPP.table],
  ['NORMAL', OFPP.normal],
  ['FLOOD', OFPP.flood],
  ['ALL', OFPP.all],
  ['CONTROLLER', OFPP.controller],
  ['LOCAL', OFPP.local],
  ['ANY', OFPP.none],
  ['UNSET', OFPP.unset],
];

/** Names that a switch gives to numbers, as of its ports or its tables. */
export interface Names {
  numberOf(name: string): number | undefined;
  nameOf(number: number): string | undefined;
}

const byName = new Map<string, number>([...RESERVED_NAMES, ['NONE', OFPP.none]]);
const byNumber = new Map<number, string>(RESERVED_NAMES.map(([name, number]) => [number, name]));

/** The number of a reserved port's name, in upper or lower case. */
export function reservedPort(name: string): number | undefined {
  return byName.get(name.toUpperCase());
}

export function reservedPortName(port: number): string | undefined {
  return byNumber.get(port);
}

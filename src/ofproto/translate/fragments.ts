import { ANY_GROUP, NO_BUFFER, OFPP } from '../../openflow/index.ts';
import { ETH_TYPE, KEY, Match } from '../../packet/index.ts';
import { HIDDEN_PRIORITY, Rule } from '../rule.ts';

/**
 * How flow tables see fragments of IP packets, as ovs-ofctl(8), set-frags, has it: `normal`: without ports, also the first,
 * which has some; `drop`: not at all; `nx-match`: as they are.
 */
export type FragmentHandling = 'normal' | 'drop' | 'nx-match';

const FRAGMENT = 1;
const PORTS_BYTES = 4;

/** Is it a fragment of an IP packet, the first one included? */
export function isFragment(key: Uint8Array): boolean {
  if ((key[KEY.ipFrag] & FRAGMENT) === 0) return false;
  const type = (key[KEY.ethType] << 8) | key[KEY.ethType + 1];
  return type === ETH_TYPE.ipv4 || type === ETH_TYPE.ipv6;
}

/** Does something with a key that has no transport ports meanwhile. */
export function withoutPorts<T>(key: Uint8Array, use: () => T): T {
  const ports = key.slice(KEY.l4Src, KEY.l4Src + PORTS_BYTES);
  key.fill(0, KEY.l4Src, KEY.l4Src + PORTS_BYTES);
  try {
    return use();
  } finally {
    key.set(ports, KEY.l4Src);
  }
}

/** What a fragment meets that is to be dropped. */
export const DROPPED_FRAGMENT = new Rule(
  0,
  {
    command: 'add',
    table: 0,
    priority: HIDDEN_PRIORITY,
    match: Match.ALL,
    cookie: 0n,
    modifyCookie: false,
    matchCookie: 0n,
    cookieMask: 0n,
    idleTimeout: 0,
    hardTimeout: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP.none,
    outGroup: ANY_GROUP,
    flags: 0,
    importance: 0,
    actions: [],
  },
  0,
  0n,
);

/** Adds the bits that decide whether a packet is a fragment, where that makes a difference to who looks at those of a union. */
export function addFragmentBits(union: Uint8Array, handling: FragmentHandling): void {
  const looksAtPorts = union.subarray(KEY.l4Src, KEY.l4Src + PORTS_BYTES).some((bits) => bits !== 0);
  if (handling === 'nx-match' || (handling === 'normal' && !looksAtPorts)) return;
  union[KEY.ipFrag] = 0xff;
  union.fill(0xff, KEY.ethType, KEY.ethType + 2);
}

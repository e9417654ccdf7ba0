import { KEY, newKey, VLAN_CFI } from '../../packet/index.ts';
import { DATAPATH_ATTRIBUTES, putNumber, readNumber, readPart, VLAN_PARTS } from './datapath-field.ts';
import { refusal } from './errors.ts';

const MAX_TEXT = 10_000;
const ETH_TYPE_FIELD = { name: '', offset: KEY.ethType, bytes: 2, form: 'hexadecimal' } as const;
const word = (offset: number) => ({ name: '', offset, bytes: 4, form: 'hexadecimal' }) as const;

/** Attributes that are one number. */
const NUMBERS: Readonly<Record<string, Parameters<typeof putNumber>[0]>> = {
  recirc_id: word(KEY.recircId),
  dp_hash: word(KEY.dpHash),
  skb_priority: word(KEY.skbPriority),
  skb_mark: word(KEY.pktMark),
  ct_mark: word(KEY.ctMark),
  ct_zone: { ...word(KEY.ctZone), bytes: 2 },
};

const TCP_FLAG_FIELD = { name: '', offset: KEY.tcpFlags, bytes: 2, form: 'hexadecimal' } as const;

/** Is it one, to tell it from packets in hexadecimal digits? */
export function looksLikeDatapathFlow(text: string): boolean {
  return /^\s*[a-z_0-9]+\(/.test(text);
}

/**
 * The flow key of a datapath flow as ovs-dpctl(8) writes them: `in_port(1),eth(src=…,dst=…),eth_type(0x0800),ipv4(…),udp(…)`,
 * each field exact. `port` knows ports by their names. @throws UnixctlError UNIXCTL_REFUSED
 */
export function parseDatapathFlow(text: string, port: (name: string) => number | undefined): Uint8Array {
  if (text.length > MAX_TEXT) throw refusal('a flow is too long');
  const key = newKey();
  readAttributes(text, key, port, 0);
  return key;
}

function readAttributes(text: string, key: Uint8Array, port: (name: string) => number | undefined, tags: number): void {
  let depthOfTags = tags;
  for (let at = 0; at < text.length; ) {
    const begin = /^[\s,]*([a-z_0-9]+)\(/.exec(text.slice(at));
    if (begin === null) {
      if (/^[\s,]*$/.test(text.slice(at))) return;
      throw wrong(text.slice(at));
    }
    const start = at + begin[0].length;
    const end = closing(text, start);
    if (end === undefined) throw wrong(text.slice(at));
    const inner = text.slice(start, end);
    if (begin[1] === 'encap') {
      readAttributes(inner, key, port, depthOfTags);
    } else {
      if (begin[1] === 'vlan') depthOfTags++;
      if (!readAttribute(begin[1], inner, key, port, depthOfTags)) throw wrong(text.slice(at));
    }
    at = end + 1;
  }
}

/** Where the bracket ends that is open at `start`. */
function closing(text: string, start: number): number | undefined {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return undefined;
}

function readAttribute(
  name: string,
  inner: string,
  key: Uint8Array,
  port: (name: string) => number | undefined,
  tags: number,
): boolean {
  if (name === 'in_port') {
    const number = readNumber(inner) ?? port(inner);
    if (number !== undefined) new DataView(key.buffer).setUint32(KEY.inPort, number);
    return number !== undefined;
  }
  if (name === 'eth_type') return readEthType(inner, key, tags);
  if (name === 'vlan') return readVlan(inner, key, tags);
  if (name === 'packet_type') return /^ns=0,id=0$/.test(inner);
  if (name === 'tcp_flags') return readNumberInto(TCP_FLAG_FIELD, inner, key, 0xfff);
  if (Object.hasOwn(NUMBERS, name)) return readNumberInto(NUMBERS[name], inner, key);
  if (!Object.hasOwn(DATAPATH_ATTRIBUTES, name)) return false;
  return inner.split(',').every((piece) => {
    const [, part, value] = /^\s*([a-z0-9_]+)=(.+?)\s*$/.exec(piece) ?? [];
    const field = DATAPATH_ATTRIBUTES[name].find((candidate) => candidate.name === part);
    return field !== undefined && readPart(field, value, key);
  });
}

function readNumberInto(
  field: Parameters<typeof putNumber>[0],
  text: string,
  key: Uint8Array,
  max = 2 ** (8 * field.bytes) - 1,
): boolean {
  const number = readNumber(text);
  if (number === undefined || number > max) return false;
  putNumber(field, number, key);
  return true;
}

/** Before a tag its own type, after it the payload's. */
function readEthType(text: string, key: Uint8Array, tags: number): boolean {
  const isTag = /^0x(8100|88a8)$/i.test(text);
  if (isTag && tags < 2) return readNumberInto({ ...ETH_TYPE_FIELD, offset: tagPlace(tags) }, text, key);
  return readNumberInto(ETH_TYPE_FIELD, text, key);
}

const tagPlace = (tag: number): number => (tag === 0 ? KEY.vlanTpid : KEY.innerVlanTpid);

function readVlan(inner: string, key: Uint8Array, tags: number): boolean {
  if (tags > 2) return false;
  const shift = tags === 1 ? 0 : KEY.innerVlanTci - KEY.vlanTci;
  const isRead = inner.split(',').every((piece) => {
    const [, part, value] = /^\s*([a-z]+)=(\w+)\s*$/.exec(piece) ?? [];
    if (part === 'cfi') return value === '1';
    const field = VLAN_PARTS.find(({ name }) => name === part);
    return field !== undefined && readPart({ ...field, offset: field.offset + shift }, value, key);
  });
  key[KEY.vlanTci + shift] |= VLAN_CFI >> 8;
  return isRead;
}

function wrong(rest: string) {
  return refusal(`syntax error at ${rest}`);
}

import type { DatapathAction } from '../../datapath/index.ts';
import type { PacketIn } from '../../ofproto/index.ts';
import { ETH_TYPE, KEY, KEY_BYTES, VLAN_CFI } from '../../packet/index.ts';
import { attributesOf, DATAPATH_ATTRIBUTES, formatPart, numberOf, VLAN_PARTS } from './datapath-field.ts';

/** How ports are shown, and what a packet for controllers carries. */
export interface DatapathTextContext {
  /** How a port is shown; left out: by its number. Undefined for a port that is not there: what goes there goes nowhere. */
  readonly portText?: (number: number) => string | undefined;
  readonly note: (note: number) => PacketIn | undefined;
  /** What is sent to controllers is not really sent. */
  readonly isDryRun?: boolean;
  /** The key is that of one packet, every bit of it. */
  readonly isWholeKey?: boolean;
}

/** The bits of a key that `mask` has, as dpctl/dump-flows writes them; what packets of this key do not have is left out. */
export function formatDatapathFlow(
  key: Uint8Array,
  mask: Uint8Array,
  { portText = String }: Pick<DatapathTextContext, 'portText'> = {},
): string {
  const view = new DataView(key.buffer, key.byteOffset);
  const parts = [
    `recirc_id(${view.getUint32(KEY.recircId) === 0 ? '0' : `0x${view.getUint32(KEY.recircId).toString(16)}`})`,
    `in_port(${portText(view.getUint32(KEY.inPort)) ?? view.getUint32(KEY.inPort)})`,
    'packet_type(ns=0,id=0)',
  ];
  const [eth, ...rest] = attributesOf(key).map((name) => formatAttribute(name, key, mask));
  if (eth !== undefined) parts.push(eth);
  const flags = formatTcpFlags(key, mask);
  const inner = [
    ...(mask[KEY.ethType] === 0 ? [] : [`eth_type(0x${hex4(view.getUint16(KEY.ethType))})`]),
    ...rest.filter((text) => text !== undefined),
    ...(flags === undefined ? [] : [flags]),
  ].join(',');
  parts.push(...encapsulated(key, mask, inner, 0));
  return parts.filter((text) => text !== '').join(',');
}

const hex4 = (number: number): string => number.toString(16).padStart(4, '0');

/** What is inside of VLAN tags, from the tag at `level` on. */
function encapsulated(key: Uint8Array, mask: Uint8Array, inner: string, level: 0 | 1 | 2): string[] {
  const shift = level === 0 ? 0 : KEY.innerVlanTci - KEY.vlanTci;
  const isTagged = level < 2 && (key[KEY.vlanTci + shift] & mask[KEY.vlanTci + shift] & (VLAN_CFI >> 8)) !== 0;
  if (!isTagged) return [inner];
  const tag = VLAN_PARTS.map((field) => formatPart({ ...field, offset: field.offset + shift }, key, mask));
  const tpid = numberOf({ ...VLAN_PARTS[0], offset: KEY.vlanTpid + shift, bits: 16 }, key) || ETH_TYPE.vlan;
  return [
    `eth_type(0x${hex4(tpid)})`,
    `vlan(${tag.filter((text) => text !== undefined).join(',')})`,
    `encap(${encapsulated(key, mask, inner, level === 0 ? 1 : 2).join(',')})`,
  ];
}

function formatAttribute(name: string, key: Uint8Array, mask: Uint8Array): string | undefined {
  const parts = DATAPATH_ATTRIBUTES[name].map((field) => formatPart(field, key, mask));
  const shown = parts.filter((text) => text !== undefined);
  return shown.length === 0 ? undefined : `${name}(${shown.join(',')})`;
}

function formatTcpFlags(key: Uint8Array, mask: Uint8Array): string | undefined {
  if (!attributesOf(key).includes('tcp')) return undefined;
  const text = formatPart({ name: '', offset: KEY.tcpFlags, bytes: 2, form: 'hexadecimal', bits: 12 }, key, mask);
  return text === undefined ? undefined : `tcp_flags(${text.slice(1)})`;
}

/** What is done with packets, as dpctl/dump-flows and ofproto/trace write it; `key` is that of the packets. */
export function formatDatapathActions(
  actions: readonly DatapathAction[],
  key: Uint8Array,
  context: DatapathTextContext,
): string {
  const writer = new ActionWriter(key, context);
  writer.run(actions);
  const parts = writer.parts.slice(0, writer.effects);
  return parts.length === 0 ? 'drop' : parts.join(',');
}

class ActionWriter {
  readonly parts: string[] = [];
  /** How many parts there are up to the last by which a packet goes anywhere: what is changed after it does not matter. */
  effects = 0;
  readonly #key: Uint8Array;
  readonly #context: DatapathTextContext;
  /** The tag pushed last, while nothing but its fields has been set since. */
  #pushed: { tpid: number; tci: number } | undefined;
  #queue = 0;
  /** The key still tells of the packet's tag. */
  #knowsTag: boolean;

  constructor(key: Uint8Array, context: DatapathTextContext) {
    this.#key = key;
    this.#context = context;
    this.#knowsTag = context.isWholeKey === true;
  }

  run(actions: readonly DatapathAction[]): void {
    for (const action of actions) this.#take(action);
    this.#flushTag();
  }

  #take(action: DatapathAction): void {
    if (action.kind === 'set') {
      this.#set(action.bytes);
      return;
    }
    this.#flushTag();
    switch (action.kind) {
      case 'output': {
        const port = (this.#context.portText ?? String)(action.port);
        if (port === undefined) return;
        if ((action.queue ?? 0) !== this.#queue) {
          this.#queue = action.queue ?? 0;
          this.parts.push(`set(skb_priority(${this.#queue === 0 ? '0' : `0x${this.#queue.toString(16)}`}))`);
        }
        if (action.maxLen !== undefined) this.parts.push(`trunc(${action.maxLen})`);
        this.#goes(port);
        return;
      }
      case 'pushVlan':
        this.#pushed = action;
        this.#knowsTag = false;
        return;
      case 'popVlan':
        this.parts.push('pop_vlan');
        this.#knowsTag = false;
        return;
      case 'pushMpls': {
        const { lse } = action;
        const entry = `label=${lse >>> 12},tc=${(lse >>> 9) & 7},ttl=${lse & 0xff},bos=${(lse >>> 8) & 1}`;
        this.parts.push(`push_mpls(${entry},eth_type=0x${action.ethType.toString(16)})`);
        return;
      }
      case 'popMpls':
        this.parts.push(`pop_mpls(eth_type=0x${action.ethType.toString(16)})`);
        return;
      case 'clone':
        this.#goes(`clone(${formatDatapathActions(action.actions, this.#key, this.#context)})`);
        return;
      case 'recirculate':
        this.#goes(`recirc(0x${action.id.toString(16)})`);
        return;
      case 'toMain':
        this.#goes(this.#toController(action.note));
        return;
    }
  }

  #goes(text: string): void {
    this.parts.push(text);
    this.effects = this.parts.length;
  }

  #flushTag(): void {
    if (this.#pushed === undefined) return;
    const { tpid, tci } = this.#pushed;
    const type = tpid === ETH_TYPE.vlan ? '' : `tpid=0x${hex4(tpid)},`;
    this.parts.push(`push_vlan(${type}vid=${tci & 0xfff},pcp=${tci >> 13})`);
    this.#pushed = undefined;
  }

  #set(bytes: readonly (readonly [number, number, number])[]): void {
    const key = this.#key.slice();
    const mask = new Uint8Array(KEY_BYTES);
    for (const [offset, value, bits] of bytes) {
      key[offset] = (key[offset] & ~bits) | value;
      mask[offset] = bits;
    }
    const isTag = mask[KEY.vlanTci] !== 0 || mask[KEY.vlanTci + 1] !== 0;
    if (this.#pushed !== undefined && isTag) {
      const bits = (mask[KEY.vlanTci] << 8) | mask[KEY.vlanTci + 1];
      const tci = (key[KEY.vlanTci] << 8) | key[KEY.vlanTci + 1];
      this.#pushed = { tpid: this.#pushed.tpid, tci: (this.#pushed.tci & ~bits) | (tci & bits) };
    } else {
      this.#flushTag();
      if (isTag) this.parts.push(this.#tag(key, mask));
    }
    for (const name of attributesOf(key)) {
      const text = formatAttribute(name, key, mask);
      if (text !== undefined) this.parts.push(`set(${text})`);
    }
  }

  /** A tag gets other values: as Open vSwitch, which takes it off and puts another on, where all of it is known. */
  #tag(key: Uint8Array, mask: Uint8Array): string {
    if (this.#knowsTag) mask.fill(0xff, KEY.vlanTci, KEY.vlanTci + 2);
    const parts = VLAN_PARTS.map((field) => formatPart(field, key, mask)).filter((text) => text !== undefined);
    return parts.length === VLAN_PARTS.length ? `pop_vlan,push_vlan(${parts})` : `set(vlan(${parts}))`;
  }

  #toController(number: number): string {
    const note = this.#context.note(number);
    // Maps of filter programs, of which Open vSwitch knows nothing.
    if (note === undefined) return 'userspace(pid=0,maps)';
    const { reason, cookie, controllerId, maxLen } = note;
    const shown = cookie === 0n ? '0' : `0x${cookie.toString(16)}`;
    const send = this.#context.isDryRun ? 1 : 0;
    return (
      `userspace(pid=0,controller(reason=${reason},dont_send=${send},continuation=0,recirc_id=0,` +
      `rule_cookie=${shown},controller_id=${controllerId},max_len=${maxLen}))`
    );
  }
}

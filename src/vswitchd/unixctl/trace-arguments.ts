import { OkoError, parseHex } from '../../bytes/index.ts';
import { parseFlow } from '../../openflow/index.ts';
import { extractKey, KEY, KEY_BYTES } from '../../packet/index.ts';
import { looksLikeDatapathFlow, parseDatapathFlow } from './datapath-flow-parser.ts';
import { refusal } from './errors.ts';
import { bridgeNamed, datapathName, datapathPort, portNames, portsWhere } from './names.ts';
import type { BridgeView, SwitchView } from './switch-view.ts';

const ETHERNET_BYTES = 14;

/** What is to be traced, and where. */
export interface TraceSubject {
  readonly bridge: BridgeView;
  readonly key: Uint8Array;
  /** The packet, where one was given. */
  readonly packet: Uint8Array | undefined;
  /** A packet is to be made up for the key. */
  readonly generates: boolean;
  /** The answers of filter programs that do not run. */
  readonly programs: ReadonlyMap<number, boolean>;
}

/** `{[dp_name] odp_flow | bridge br_flow} [OPTIONS…] [-generate|packet]`. @throws UnixctlError UNIXCTL_REFUSED */
export function readTraceArguments(view: SwitchView, args: readonly string[]): TraceSubject {
  const { words, generates, programs } = splitOptions(args);
  const { bridge, key, rest } = readFlow(view, words);
  if (rest.length > 1 || (rest.length === 1 && generates)) throw refusal('Syntax error');
  const packet = rest.length === 0 ? undefined : readPacket(rest[0]);
  if (packet !== undefined) extractKey(packet, key);
  return { bridge, key, packet, generates, programs };
}

function splitOptions(args: readonly string[]): Pick<TraceSubject, 'generates' | 'programs'> & { words: string[] } {
  const words: string[] = [];
  const programs = new Map<number, boolean>();
  let generates = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '-generate' || arg === '--generate' || arg === '-g') generates = true;
    // Connections have no part in tracing: what the next pass would find is taken and has no effect.
    else if (arg === '--ct-next') i++;
    else if (arg === '--filter-prog') readProgram(args[++i] ?? '', programs);
    else if (arg.startsWith('-')) throw refusal(`${arg}: unknown option`);
    else words.push(arg);
  }
  return { words, generates, programs };
}

function readProgram(text: string, programs: Map<number, boolean>): void {
  const [, id, answer] = /^(\d{1,5})=([01])$/.exec(text) ?? [];
  if (id === undefined) throw refusal(`--filter-prog ${text}: expected NUMBER=0 or NUMBER=1`);
  programs.set(Number(id), answer === '1');
}

function readFlow(
  view: SwitchView,
  words: readonly string[],
): { bridge: BridgeView; key: Uint8Array; rest: readonly string[] } {
  const [first = '', second] = words;
  if (looksLikeDatapathFlow(first)) return { ...readDatapathFlow(view, first), rest: words.slice(1) };
  if (second === undefined) throw refusal(`syntax error at ${first} (or the bridge name was omitted)`);
  if (looksLikeDatapathFlow(second)) {
    const names = view.bridges().flatMap((bridge) => [datapathName(bridge), `ovs-${bridge.datapathType}`]);
    if (!names.includes(first)) throw refusal('Cannot find the datapath');
    return { ...readDatapathFlow(view, second), rest: words.slice(2) };
  }
  const bridge = bridgeNamed(view, first, `${first}: unknown bridge`);
  return { bridge, key: readOpenflow(bridge, second), rest: words.slice(2) };
}

function readOpenflow(bridge: BridgeView, text: string): Uint8Array {
  try {
    return parseFlow(text, 'delete_strict', portNames(bridge)).match.toKey().slice(0, KEY_BYTES);
  } catch (error) {
    if (!(error instanceof OkoError)) throw error;
    throw refusal(`Bad openflow flow syntax: ${text}: ${error.message}`);
  }
}

/** The bridge is that of the port by which the packet comes in. */
function readDatapathFlow(view: SwitchView, text: string): { bridge: BridgeView; key: Uint8Array } {
  const named = new Map<number, BridgeView>();
  const key = parseDatapathFlow(text, (name) => {
    const [found] = portsWhere(view, (port) => port.name === name);
    if (found === undefined) return undefined;
    named.set(datapathPort(found.bridge, found.port.number), found.bridge);
    return datapathPort(found.bridge, found.port.number);
  });
  const keyView = new DataView(key.buffer);
  const number = keyView.getUint32(KEY.inPort);
  const found = portsWhere(
    view,
    (port, bridge) => datapathPort(bridge, port.number) === number && (named.get(number) ?? bridge) === bridge,
  );
  if (found.length === 0) throw refusal(`no OpenFlow port for datapath port ${number}`);
  if (found.length > 1) {
    const names = found.map(({ bridge, port }) => `${port.name} of ${bridge.bridge.name}`).join(', ');
    throw refusal(`datapath port ${number} may be ${names}; write in_port(NAME)`);
  }
  keyView.setUint32(KEY.inPort, found[0].port.number);
  return { bridge: found[0].bridge, key };
}

function readPacket(text: string): Uint8Array {
  const packet = parseHex(text);
  if (packet === undefined) throw refusal('Trailing garbage in packet data');
  if (packet.length < ETHERNET_BYTES) throw refusal('Packet data too short for Ethernet');
  return packet;
}

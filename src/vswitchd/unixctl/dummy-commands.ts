import { parseHex } from '../../bytes/index.ts';
import { DummyPort } from '../../datapath/index.ts';
import { PORT_CONFIG, PORT_STATE } from '../../ofproto/index.ts';
import { composePacket } from '../../packet/index.ts';
import { ANY_NUMBER, type Command, command } from './command.ts';
import { looksLikeDatapathFlow, parseDatapathFlow } from './datapath-flow-parser.ts';
import { refusal } from './errors.ts';
import { datapathPort, type FoundPort, portsWhere } from './names.ts';
import type { SwitchView } from './switch-view.ts';

const ETHERNET_BYTES = 14;
const MAX_PACKET_BYTES = 65_535;

/** netdev-dummy/*: packets and links in the hands of a test. */
export function dummyCommands(view: SwitchView): readonly Command[] {
  return [
    command(
      'netdev-dummy/receive',
      'name [--qid queue_id] packet|flow [--len packet_len]',
      [2, ANY_NUMBER],
      ([name, ...rest]) => {
        const [found] = dummies(view, name);
        if (found === undefined) throw refusal('no such dummy netdev');
        // All or none: what is wrong is found before anything is received.
        for (const packet of readPackets(view, rest)) receive(view, found, packet);
        return '';
      },
    ),
    command('netdev-dummy/set-admin-state', '[netdev] up|down', [1, 2], (args) => {
      const state = args[args.length - 1].toLowerCase();
      if (state !== 'up' && state !== 'down') throw refusal('Invalid Admin State');
      const found = dummies(view, args.length === 2 ? args[0] : undefined);
      if (args.length === 2 && found.length === 0) throw refusal('Unknown Dummy Interface');
      for (const dummy of found) setAdminState(dummy, state === 'up');
      return 'OK';
    }),
    command('netdev-dummy/conn-state', '[netdev]', [0, 1], ([name]) => (name === undefined ? '' : `${name}: unknown`)),
  ];
}

interface FoundDummy extends FoundPort {
  readonly dummy: DummyPort;
}

function dummies(view: SwitchView, name: string | undefined): readonly FoundDummy[] {
  return portsWhere(view, (port) => name === undefined || port.name === name).flatMap((found) =>
    found.port.port instanceof DummyPort ? [{ ...found, dummy: found.port.port }] : [],
  );
}

function receive(view: SwitchView, { bridge, port, dummy }: FoundDummy, packet: Uint8Array): void {
  dummy.received(packet, view.clock.nowNs());
  bridge.bridge.receive(port.number, packet);
}

function setAdminState({ bridge: { bridge }, port: { number }, dummy }: FoundDummy, isUp: boolean): void {
  dummy.isUp = isUp;
  bridge.portMod({ port: number, config: isUp ? 0 : PORT_CONFIG.portDown, mask: PORT_CONFIG.portDown });
  bridge.setPort(number, { state: isUp ? PORT_STATE.live : PORT_STATE.linkDown });
}

/** `[--qid N] {packet | flow [--len N]}…`; a queue of reception is not told from another. @throws UnixctlError UNIXCTL_REFUSED */
function readPackets(view: SwitchView, words: readonly string[]): readonly Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--qid') {
      if (!/^\d{1,9}$/.test(words[++i] ?? '')) throw refusal('"qid" is not a number');
      continue;
    }
    const packet = parseHex(word);
    if (packet !== undefined && packet.length >= ETHERNET_BYTES) {
      packets.push(packet);
      continue;
    }
    if (!looksLikeDatapathFlow(word)) throw refusal(`syntax error at ${word}`);
    const key = parseDatapathFlow(word, (name) => {
      const [found] = portsWhere(view, (port) => port.name === name);
      return found === undefined ? undefined : datapathPort(found.bridge, found.port.number);
    });
    if (words[i + 1] !== '--len') {
      packets.push(composePacket(key));
      continue;
    }
    packets.push(composeOfLength(key, words[i + 2] ?? ''));
    i += 2;
  }
  return packets;
}

function composeOfLength(key: Uint8Array, text: string): Uint8Array {
  const headers = composePacket(key, new Uint8Array());
  const length = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(length <= MAX_PACKET_BYTES)) throw refusal(`invalid packet length "${text}"`);
  if (length < headers.length) throw refusal('too small packet len');
  const packet = composePacket(key, new Uint8Array(length - headers.length));
  if (packet.length === length) return packet;
  // A packet that carries nothing is made as long as it is to be behind its end.
  const padded = new Uint8Array(length);
  padded.set(packet);
  return padded;
}

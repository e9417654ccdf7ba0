import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetFor } from '../../test/support/packet-arbitrary.ts';
import { ethernet, ipv4, udp } from './build.ts';
import { checksumsVerify } from './checksum.ts';
import { composePacket } from './compose.ts';
import { extractKey } from './extract.ts';
import { ETH_TYPE } from './headers.ts';
import { KEY, KEY_PACKET_BYTES, newKey } from './key.ts';
import { PacketLayout } from './layout.ts';

const keyOf = (packet: Uint8Array): Uint8Array => {
  const key = newKey();
  extractKey(packet, key);
  return key;
};

describe('a packet composed for the key of another', () => {
  it.each(Object.keys(packetFor).filter((kind) => kind !== 'nsh'))('has the same key: %s', (kind) => {
    fc.assert(
      fc.property(packetFor[kind as keyof typeof packetFor], (packet) => {
        const key = keyOf(packet);
        fc.pre(((key[KEY.ethType] << 8) | key[KEY.ethType + 1]) !== ETH_TYPE.nsh);
        const composed = composePacket(key);
        expect(keyOf(composed).subarray(0, KEY_PACKET_BYTES)).toEqual(key.subarray(0, KEY_PACKET_BYTES));
      }),
    );
  });

  it('never fails, whatever the key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 400, maxLength: 400 }), (key) => {
        expect(composePacket(key).length).toBeGreaterThanOrEqual(14);
      }),
    );
  });

  it('has the payload that was asked for, and right checksums', () => {
    const addresses = { dst: '02:00:00:00:00:01', src: '02:00:00:00:00:02' };
    const key = keyOf(ethernet(addresses, ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 1, dst: 2 }))));
    const packet = composePacket(key, new Uint8Array(1000));
    expect(packet.length).toBeGreaterThan(1000);
    const layout = new PacketLayout();
    layout.locate(packet, 0, packet.length);
    expect(checksumsVerify(packet, layout)).toBe(true);
  });
});

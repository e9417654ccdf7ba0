import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { type LinkEvent, LinkMonitor, linkEvents } from '../src/datapath/ports/link-monitor.ts';
import { namespacesMissing } from './support/namespaces.ts';

const missing = namespacesMissing();
const name = `oko${process.pid % 1_000_000}l`;
const ip = (line: string) => spawnSync('ip', line.split(' '));

afterAll(() => {
  if (missing === undefined) ip(`link delete ${name}`);
});

it.skipIf(missing !== undefined)(
  `follows a device that comes, is switched on, changes and goes${missing === undefined ? '' : `: ${missing}`}`,
  async () => {
    const monitor = new LinkMonitor();
    const seen: LinkEvent[] = [];
    const about = async (holds: (event: LinkEvent) => boolean): Promise<LinkEvent | undefined> => {
      for (let i = 0; i < 200; i++) {
        monitor.receive((event) => seen.push(event));
        const event = seen.find((each) => each.kind !== 'lost' && each.link.name === name && holds(each));
        if (event !== undefined) return event;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return undefined;
    };
    try {
      ip(`link add ${name} address 02:00:00:00:00:77 type veth peer name ${name}p`);
      const added = await about(({ kind }) => kind === 'changed');
      expect(added).toMatchObject({ link: { isUp: false, mac: '02:00:00:00:00:77', mtu: 1500 } });
      ip(`link set ${name} up mtu 1400`);
      expect(
        await about((event) => event.kind === 'changed' && event.link.isUp && event.link.mtu === 1400),
      ).toBeDefined();
      seen.length = 0;
      monitor.refresh();
      expect(await about(({ kind }) => kind === 'changed')).toMatchObject({ link: { isUp: true } });
      ip(`link delete ${name}`);
      expect(await about(({ kind }) => kind === 'removed')).toBeDefined();
    } finally {
      monitor.close();
    }
  },
);

it('passes over what is no link message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(16, 17, 18), fc.nat(220), (bytes, type, length) => {
      const datagram = new Uint8Array(16 + bytes.length);
      datagram.set(bytes, 16);
      const view = new DataView(datagram.buffer);
      view.setUint32(0, length, true);
      view.setUint16(4, type, true);
      for (const event of linkEvents(datagram)) if (event.kind !== 'lost') expect(event.link.name).not.toBe('');
    }),
    { numRuns: 10_000 },
  );
});

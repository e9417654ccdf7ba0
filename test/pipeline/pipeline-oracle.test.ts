import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortVlan } from '../../src/ofproto/index.ts';
import { vswitchMissing } from '../support/dummy-vswitch.ts';
import { CASES, PORT_VLANS } from './cases.ts';
import { packet, packetText } from './packet-text.ts';
import { PipelineVswitch } from './pipeline-vswitch.ts';

/*
 * Every case of the pipeline, sent through Open vSwitch's own switch: what comes out there is what the case says.
 * Differences, each on purpose, are said in the cases.
 */

const PORTS = [1, 2, 3, 4];
/** It may drop a packet that misses its cache while it works on its flows. */
const TRIES = 4;

const missing = vswitchMissing();
const suffix = missing === undefined ? '' : ` (${missing})`;

describe.skipIf(missing !== undefined).each(Object.entries(CASES))(
  `%s, as in Open vSwitch${suffix}`,
  (group, cases) => {
    let vswitch: PipelineVswitch | undefined;
    beforeAll(() => {
      vswitch = new PipelineVswitch(PORTS, portSettings(PORT_VLANS[group] ?? {}));
    });
    afterAll(() => vswitch?.stop());

    it.each(
      cases
        .filter(({ differs }) => differs === undefined)
        .map((test) => [test.flows.join('; '), test.steps.map(([arrival]) => arrival).join('; '), test] as const),
    )('%s, %s', async (_flows, _packets, { flows, steps }) => {
      for (let tries = 1; ; tries++) {
        const said: string[][] = [];
        await vswitch?.setFlows(flows);
        for (const [arrival] of steps) {
          if (said.length > 0) await vswitch?.settle();
          said.push(await departures(vswitch, arrival));
        }
        const expected = steps.map(([, packets]) => packets);
        if (tries < TRIES && JSON.stringify(said) !== JSON.stringify(expected)) continue;
        expect(said).toEqual(expected);
        return;
      }
    });
  },
);

async function departures(vswitch: PipelineVswitch | undefined, arrival: string): Promise<string[]> {
  const at = arrival.indexOf(':');
  const sent = await vswitch?.forward(Number(arrival.slice(0, at)), packet(arrival.slice(at + 1)));
  return (sent ?? []).map(({ port, bytes }) => `${port}: ${packetText(bytes)}`).sort();
}

/** Columns of the database's table Port. */
function portSettings(vlans: Readonly<Record<number, PortVlan>>): Record<number, string> {
  return Object.fromEntries(
    Object.entries(vlans).map(([number, { mode, tag, trunks, priorityTags }]) => {
      const columns = [`vlan_mode=${mode}`];
      if (mode !== 'trunk') columns.push(`tag=${tag}`);
      if (trunks !== undefined) columns.push(`trunks=${[...trunks].join(',')}`);
      const priority = `-- set Port p${number} other_config:priority-tags=${priorityTags}`;
      return [number, `${columns.join(' ')} ${priority}`];
    }),
  );
}

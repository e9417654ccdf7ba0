import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FilterPrograms } from '../../src/ofproto/index.ts';
import { mapContents } from '../../src/ofproto/programs/map-access.ts';
import { encodeObject, encodeOko } from '../../src/openflow/index.ts';
import { countingObject, filterObject } from '../support/filter-object.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const MAPS = [
  { name: 'table', kind: 'hash', keySize: 2, valueSize: 1, maxEntries: 2 },
  { name: 'filter', kind: 'bloom', keySize: 4, valueSize: 0, maxEntries: 64, hashCount: 2 },
  { name: 'sketch', kind: 'count-min', keySize: 4, valueSize: 4, maxEntries: 8, hashCount: 2 },
  { name: 'routes', kind: 'lpm-trie', keySize: 8, valueSize: 1, maxEntries: 2 },
];
const NO_MATCH = 'r0 = 0\nexit';

describe('bad input: a stable code and a sentence, exit status 1, nothing changed', () => {
  let sw: ProgramSwitch;
  const file = (name: string): string => join(sw.folder, name);

  beforeAll(async () => {
    sw = await ProgramSwitch.start();
    writeFileSync(file('good.o'), countingObject(1, MAPS));
    writeFileSync(file('other.o'), countingObject(1));
    writeFileSync(file('reads-too-far.o'), filterObject(MAPS, 'r0 = *(u8 *)(r1 + 40)\nexit'));
    writeFileSync(file('text.o'), 'int main;');
    writeFileSync(file('cut.o'), countingObject(1, MAPS).subarray(0, 200));
    writeFileSync(file('huge.o'), new Uint8Array((16 << 20) + 1));
    for (const words of [
      ['load-filter-prog', 'SW', '1', file('good.o')],
      ['add-flow', 'SW', 'filter_prog=1,actions=drop'],
      ['update-map', 'SW', '1', 'table', 'key', '0', '1', 'value', '7', 'key', '0', '2', 'value', '8'],
    ])
      expect((await sw.ofctl(...words)).err).toBe('');
  });
  afterAll(() => sw.close());

  /** All that could have changed. */
  const state = (): unknown => {
    const { programs } = sw.bridge;
    return [
      sw.bridge.flows().map(({ match, actions }) => [match.identity, actions.length]),
      programs.mapBytes,
      programs
        .list()
        .map(({ id, name, loadedAtNs, maps }) => [
          ...[id, name, loadedAtNs],
          ...maps.map((map) => [...mapContents(programs, map)].flat()),
        ]),
    ];
  };

  const refused = async (code: string, text: RegExp, words: readonly string[]): Promise<void> => {
    const before = state();
    const { status, out, err } = await sw.ofctl(...words.map((word) => word.replace('FOLDER', sw.folder)));
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/^oko: /);
    expect(err.split('\n')[0]).toMatch(new RegExp(`\\(${code}\\)$`));
    expect(err).toMatch(text);
    expect(state()).toEqual(before);
  };

  it.each<[string, string, RegExp, ...string[]]>([
    ['unknown program', 'OKO_NO_SUCH_PROGRAM', /no filter program 9 is loaded/, 'dump-map', 'SW', '9', '0'],
    ['unknown program to unload', 'OKO_NO_SUCH_PROGRAM', /program 9/, 'unload-filter-prog', 'SW', '9', '--force'],
    ['unknown program to show', 'OKO_NO_SUCH_PROGRAM', /program 9/, 'show-filter-progs', 'SW', '9'],
    [
      'unknown map by number',
      'OKO_NO_SUCH_MAP',
      /has no map 5; it has 0 \(sequence\), 1 \(table\)/,
      'dump-map',
      'SW',
      '1',
      '5',
    ],
    ['unknown map by name', 'OKO_NO_SUCH_MAP', /has no map tabel/, 'lookup-map', 'SW', '1', 'tabel', 'key', '1'],
    ['map number out of range', 'CLI_BAD_ARGUMENT', /map 65535/, 'dump-map', 'SW', '1', '65535'],
    [
      'short key',
      'OKO_BAD_KEY_SIZE',
      /a key has 2 bytes, not 1/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '1',
      'value',
      '1',
    ],
    ['long key', 'OKO_BAD_KEY_SIZE', /2 bytes, not 3/, 'lookup-map', 'SW', '1', 'table', 'key', '1', '2', '3'],
    ['key too long to delete', 'OKO_BAD_KEY_SIZE', /2 bytes/, 'delete-map', 'SW', '1', 'table', 'key', '1', '2', '3'],
    [
      'wrong value size',
      'OKO_BAD_VALUE_SIZE',
      /a value has 1 bytes, not 2/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '1',
      '2',
      'value',
      '1',
      '2',
    ],
    [
      'a value for a filter',
      'OKO_BAD_VALUE_SIZE',
      /without a value/,
      'update-map',
      'SW',
      '1',
      'filter',
      'key',
      '1',
      '2',
      '3',
      '4',
      'value',
      '1',
    ],
    ['no value for a table', 'OKO_BAD_VALUE_SIZE', /not 0/, 'update-map', 'SW', '1', 'table', 'key', '1', '2'],
    [
      'byte 256',
      'CLI_BAD_ARGUMENT',
      /key 256: expected a byte, 0 to 255/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '256',
      '0',
      'value',
      '1',
    ],
    [
      'byte 0x100',
      'CLI_BAD_ARGUMENT',
      /value 0x100/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '1',
      '0',
      'value',
      '0x100',
    ],
    ['byte "x"', 'CLI_BAD_ARGUMENT', /key x/, 'update-map', 'SW', '1', 'table', 'key', 'x', '0', 'value', '1'],
    ['byte 1.5', 'CLI_BAD_ARGUMENT', /value 1\.5/, 'update-map', 'SW', '1', 'table', 'key', '1', '0', 'value', '1.5'],
    [
      'key without bytes',
      'CLI_BAD_ARGUMENT',
      /bytes are missing/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      'value',
      '1',
    ],
    ['no key at all', 'CLI_BAD_ARGUMENT', /expected key/, 'update-map', 'SW', '1', 'table', '1', '2'],
    [
      'full map',
      'OKO_MAP_FULL',
      /map table is full with 2 entries/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '0',
      '3',
      'value',
      '1',
    ],
    [
      'full map, other keys there',
      'OKO_MAP_FULL',
      /is full/,
      'update-map',
      'SW',
      '1',
      'table',
      'key',
      '0',
      '1',
      'value',
      '9',
      'key',
      '0',
      '3',
      'value',
      '1',
    ],
    [
      'index past the array',
      'OKO_BAD_INDEX',
      /has 1 elements/,
      'update-map',
      'SW',
      '1',
      'sequence',
      'key',
      '1',
      '0',
      '0',
      '0',
      'value',
      '0',
      '0',
      '0',
      '0',
      '0',
      '0',
      '0',
      '0',
    ],
    [
      'deleting from an array',
      'OKO_NOT_SUPPORTED_BY_MAP',
      /its elements are always there/,
      'delete-map',
      'SW',
      '1',
      'sequence',
      'key',
      '0',
      '0',
      '0',
      '0',
    ],
    [
      'deleting from a filter',
      'OKO_NOT_SUPPORTED_BY_MAP',
      /emptied as a whole/,
      'delete-map',
      'SW',
      '1',
      'filter',
      'key',
      '0',
      '0',
      '0',
      '0',
    ],
    ['a key that is not there', 'OKO_NO_SUCH_KEY', /no such key/, 'lookup-map', 'SW', '1', 'table', 'key', '9', '9'],
    [
      'deleting a key that is not there',
      'OKO_NO_SUCH_KEY',
      /no such key/,
      'delete-map',
      'SW',
      '1',
      'table',
      'key',
      '0',
      '1',
      'key',
      '9',
      '9',
    ],
    ['deleting nothing', 'CLI_BAD_ARGUMENT', /either key/, 'delete-map', 'SW', '1', 'table'],
    ['no ELF', 'OKO_BAD_OBJECT', /not an ELF object/, 'load-filter-prog', 'SW', '2', 'FOLDER/text.o'],
    ['a cut ELF', 'OKO_BAD_OBJECT', /./, 'load-filter-prog', 'SW', '2', 'FOLDER/cut.o'],
    [
      'rejected',
      'OKO_REJECTED',
      /at offset 40 (.*\n)* {2}suggestion: return early unless pkt_len >= 41/,
      'load-filter-prog',
      'SW',
      '2',
      'FOLDER/reads-too-far.o',
    ],
    [
      'rejected in place of another',
      'OKO_REJECTED',
      /rejected/,
      'load-filter-prog',
      'SW',
      '1',
      'FOLDER/reads-too-far.o',
      '--replace',
    ],
    [
      'section that is not there',
      'OKO_BAD_OBJECT',
      /no program in section xdp/,
      'load-filter-prog',
      'SW',
      '2',
      'FOLDER/good.o',
      '--section',
      'xdp',
    ],
    [
      'number taken',
      'OKO_PROGRAM_EXISTS',
      /is loaded already, it is good/,
      'load-filter-prog',
      'SW',
      '1',
      'FOLDER/good.o',
    ],
    [
      'number 0',
      'CLI_BAD_ARGUMENT',
      /program 0: expected a number from 1 to 65535/,
      'load-filter-prog',
      'SW',
      '0',
      'FOLDER/good.o',
    ],
    ['number 65536', 'CLI_BAD_ARGUMENT', /program 65536/, 'load-filter-prog', 'SW', '65536', 'FOLDER/good.o'],
    ['missing file', 'SYSTEM_ENOENT', /no such file.*none\.o/, 'load-filter-prog', 'SW', '2', 'FOLDER/none.o'],
    ['a folder for a file', 'SYSTEM_EISDIR', /directory/, 'load-filter-prog', 'SW', '2', 'FOLDER'],
    ['file too large', 'CLI_BAD_ARGUMENT', /too large/, 'load-filter-prog', 'SW', '2', 'FOLDER/huge.o'],
    [
      'two ways at once',
      'CLI_BAD_ARGUMENT',
      /choose one/,
      'load-filter-prog',
      'SW',
      '1',
      'FOLDER/good.o',
      '--replace',
      '--verify-only',
    ],
    [
      'maps that do not fit',
      'OKO_MAPS_DO_NOT_FIT',
      /map table .*would be lost: the new program has no map of this name/,
      'load-filter-prog',
      'SW',
      '1',
      'FOLDER/other.o',
      '--keep-maps',
    ],
    ['in use', 'OKO_IN_USE', /is used by 1 flow: table=0,filter_prog=1/, 'unload-filter-prog', 'SW', '1'],
    ['a flow naming no program', 'OKO_NO_SUCH_PROGRAM', /program 3/, 'add-flow', 'SW', 'filter_prog=3,actions=drop'],
    [
      'flows in a bundle naming none',
      'OKO_NO_SUCH_PROGRAM',
      /program 3/,
      '--bundle',
      'add-flow',
      'SW',
      'filter_prog=3,actions=drop',
    ],
    ['sending maps of no program', 'OKO_NO_SUCH_PROGRAM', /program 3/, 'add-flow', 'SW', 'actions=send_maps(3)'],
    ['sending no map', 'OKO_NO_SUCH_MAP', /map 9/, 'add-flow', 'SW', 'actions=send_maps(1,9)'],
    ['a period of nothing', 'CLI_BAD_ARGUMENT', /period 0/, 'monitor-map', 'SW', '1', '0', '--period', '0'],
  ])('%s', (_what, code, text, ...words) => refused(code, text, words));

  it('an object of which parts are missing, or come in another order', async () => {
    const before = state();
    const object = countingObject(1, [], 200_000);
    const parts = [
      ...encodeObject(
        {
          ...{ program: 2, replace: false, keepMaps: 'fitting', verifyOnly: false },
          name: 'x',
          section: '',
          function: '',
        },
        object,
      ),
    ];
    expect(parts.length).toBeGreaterThan(3);
    const client = await sw.connect();
    for (const order of [[1], [0, 2], [0, 1, 1], [0, 1, 0, 2]]) {
      const xid = client.sendAll(order.map((i) => parts[i]));
      const barrier = client.send({ type: 'barrier_request' });
      const message = await client.receive();
      expect(message).toMatchObject({ type: 'error', xid });
      if (message.type === 'error') expect(client.refusal(message)).toMatchObject({ code: 'OKO_BAD_CHUNK' });
      while ((await client.receive()).xid !== barrier);
    }
    // Interrupted half way: the connection ends.
    client.sendAll(parts.slice(0, 2));
    await client.request({ type: 'barrier_request' });
    client.close();
    expect(state()).toEqual(before);
    // Five at once are one too many.
    const busy = await sw.connect();
    for (let i = 0; i < 4; i++) busy.sendAll([parts[0]]);
    const xid = busy.sendAll([parts[0]]);
    const answer = await busy.receive();
    expect(answer).toMatchObject({ type: 'error', xid });
    if (answer.type === 'error') expect(busy.refusal(answer)).toMatchObject({ code: 'OKO_TOO_MANY' });
    busy.close();
  });

  it('more programs than a bridge takes, and more map memory', async () => {
    const limit = 8;
    const programs = new FilterPrograms({ maxPrograms: limit, maxMapBytes: 1000 });
    const small = await ProgramSwitch.start({ programs });
    const client = await small.connect();
    const object = filterObject([], NO_MATCH);
    const head = {
      replace: false,
      keepMaps: 'fitting',
      verifyOnly: false,
      name: 'x',
      section: '',
      function: '',
    } as const;
    for (let program = 1; program <= limit; program++) {
      const reply = await client.request([...encodeObject({ ...head, program }, object)][0]);
      expect(reply.type).toBe('oko');
    }
    await expect(client.request([...encodeObject({ ...head, program: limit + 1 }, object)][0])).rejects.toMatchObject({
      code: 'OKO_TOO_MANY',
      message: `${limit} filter programs are loaded, which is the limit`,
    });
    const [large] = encodeObject({ ...head, program: 1, replace: true }, countingObject(1, MAPS));
    await expect(client.request(large)).rejects.toMatchObject({
      code: 'OKO_NO_MEMORY',
      message: expect.stringMatching(/1000 are left of what this bridge has for maps/),
    });
    const described = await client.request(encodeOko({ kind: 'prog_desc_request', program: 0 }));
    expect(described.type).toBe('oko');
    client.close();
    await small.close();
  });
});

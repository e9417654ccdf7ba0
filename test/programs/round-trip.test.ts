import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPENFLOW_VERSIONS } from '../../src/packet/index.ts';
import { ProgramSwitch } from '../support/program-switch.ts';

const FIREWALL = 'examples/stateful-firewall.o';
const VERSIONS = Object.keys(OPENFLOW_VERSIONS).filter((name) => ['of10', 'of13', 'of14', 'of15'].includes(name));

describe('programs and maps from the command line', () => {
  let sw: ProgramSwitch;
  beforeEach(async () => {
    sw = await ProgramSwitch.start();
  });
  afterEach(() => sw.close());

  it.each(VERSIONS.map((name) => `OpenFlow${name.slice(2)}`))('loads, updates and dumps over %s', async (version) => {
    const ofctl = async (...words: readonly string[]): Promise<string> => {
      const { status, out, err } = await sw.ofctl('-O', version, ...words);
      expect(err).toBe('');
      expect(status).toBe(0);
      return out;
    };
    expect(await ofctl('load-filter-prog', 'SW', '1', 'examples/rate-limiter.o')).toBe('');
    await ofctl('add-flow', 'SW', 'priority=1,filter_prog=1,ip,in_port=1,actions=output:2');
    expect(await ofctl('--no-stats', 'dump-flows', 'SW')).toBe(
      ' priority=1,filter_prog=1,ip,in_port=1 actions=output:2\n',
    );
    const value = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '255', '0x2c'];
    const [key, otherKey] = [
      ['7', '0', '0', '0', '1', '0', '0', '0'],
      ['7', '0', '0', '0', '2', '0', '0', '0'],
    ];
    await ofctl(
      'update-map',
      'SW',
      '1',
      'budgets',
      'key',
      ...key,
      'value',
      ...value,
      'key',
      ...otherKey,
      'value',
      ...value,
    );
    const lines = (await ofctl('dump-map', 'SW', '1', '1', 'hex')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^NXT_DUMP_MAP_REPLY \(xid=0x[0-9a-f]+\):$/);
    expect(lines[1]).toBe('The map contains 2 element(s)');
    expect(lines.slice(2).sort()).toEqual([
      'Key: 07 00 00 00 01 00 00 00',
      'Key: 07 00 00 00 02 00 00 00',
      ...Array(2).fill('Value: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e ff 2c'),
    ]);
    expect(await ofctl('lookup-map', 'SW', '1', 'budgets', 'key', ...key, '--json')).toBe(
      `{"map":"budgets","key":[${key}],"value":[${value.map(Number)}]}\n`,
    );
    await ofctl('delete-map', 'SW', '1', 'budgets', 'key', ...key);
    expect(await ofctl('dump-map', 'SW', '1', 'budgets')).toContain('The map contains 1 element(s)');
    await ofctl('delete-map', 'SW', '1', 'budgets', '--all');
    expect(await ofctl('dump-map', 'SW', '1', 'budgets')).toContain('The map contains 0 element(s)');
    const [program] = JSON.parse(await ofctl('show-filter-progs', 'SW', '--json')) as [Record<string, unknown>];
    expect(program).toMatchObject({ program: 1, name: 'rate-limiter', function: 'entry', flows: 1 });
    await ofctl('del-flows', 'SW', 'filter_prog=1');
    await ofctl('unload-filter-prog', 'SW', '1');
    expect(await ofctl('show-filter-progs', 'SW')).toMatch(/: 0 program\(s\)\n$/);
  });

  it('says what a program is, and what the switch would say of it, without loading it', async () => {
    const { out, status } = await sw.ofctl('load-filter-prog', 'SW', '5', FIREWALL, '--verify-only');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^accepted:\n filter_prog=5: stateful-firewall \(entry in \.text\), not loaded, object of \d+ bytes\n/,
    );
    expect(sw.bridge.programs.list()).toEqual([]);
  });
});

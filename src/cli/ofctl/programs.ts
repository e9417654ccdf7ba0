import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../bytes/index.ts';
import {
  encodeObject,
  entriesOf,
  formatEntries,
  formatProgram,
  type MapContents,
  messageTitle,
  type ProgramDescription,
} from '../../openflow/index.ts';
import { CliError } from '../errors.ts';
import { entryArguments, mapReference, programNumber } from './map-arguments.ts';
import { performOko, requestOko } from './oko-client.ts';
import { type OfctlOptions, type OfctlSession, withSwitch } from './session.ts';

/** Above this the switch takes no object; a file is not even read then. */
const MAX_OBJECT_BYTES = 16 << 20;
const DEFAULT_PERIOD_MS = 1000;
const SUBSCRIPTION = 1;

interface ProgramOptions extends OfctlOptions {
  readonly replace?: boolean;
  readonly keepMaps?: boolean;
  readonly freshMaps?: boolean;
  readonly verifyOnly?: boolean;
  readonly section?: string;
  readonly function?: string;
  readonly force?: boolean;
  readonly all?: boolean;
  readonly period?: string;
  readonly changes?: boolean;
  readonly json?: boolean;
}

type Session = OfctlSession & { readonly options: ProgramOptions };
/** Looks at the arguments, then answers what to do with the switch. */
type Verb = (words: readonly string[], options: ProgramOptions) => (session: Session) => Promise<void>;

/** Adds the verbs that load filter programs and read and write their maps. */
export function addProgramVerbs(ofctl: Command): void {
  const verb = (text: string, description: string, run: Verb): Command => {
    const command = ofctl.command(text).description(description);
    return command.action((...rest: unknown[]) => {
      const [bridge, ...words] = rest.flat().filter((word): word is string => typeof word === 'string');
      const options = command.optsWithGlobals<ProgramOptions>();
      const act = run(words, options);
      return withSwitch(bridge, options, (session) => act({ ...session, options }));
    });
  };
  verb('load-filter-prog <switch> <id> <file>', 'load an object file as filter program', loadProgram)
    .option('--replace', 'in the place of the program that has the number; maps declared as before live on')
    .option('--keep-maps', 'the same, but only if every map lives on')
    .option('--fresh-maps', 'the same, but with new maps')
    .option('--verify-only', 'say whether the switch would take it, and load nothing')
    .option('--section <name>', 'the program in this section, of an object that has several')
    .option('--function <name>', 'the program that is this function')
    .option('--json', 'print as JSON what was loaded');
  verb('unload-filter-prog <switch> <id>', 'remove a filter program and its maps', unloadProgram).option(
    '--force',
    'even if flows refer to it; they match nothing then',
  );
  verb('show-filter-progs <switch> [id]', 'describe filter programs', showPrograms).option('--json', 'print as JSON');
  verb('update-map <switch> <prog> <map> <entries...>', 'set values of a map: key B… value B…', updateMap);
  verb('delete-map <switch> <prog> <map> [keys...]', 'delete keys of a map: key B…', deleteMap).option(
    '--all',
    'empty the whole map',
  );
  verb('lookup-map <switch> <prog> <map> <keys...>', 'print values of a map: key B…', lookupMap).option(
    '--json',
    'print as JSON',
  );
  verb('dump-map <switch> <prog> <map> [hex]', 'print all that a map holds', dumpMap).option('--json', 'print as JSON');
  verb('monitor-map <switch> <prog> <map>', 'print what a map holds again and again', monitorMap)
    .option('--period <ms>', `milliseconds between two times (default: ${DEFAULT_PERIOD_MS})`)
    .option('--changes', 'after the first time only what has changed')
    .option('--json', 'print as JSON, a line each time');
}

const loadProgram: Verb = ([id, file], options) => {
  const program = programNumber(id);
  const ways = [options.replace, options.keepMaps, options.freshMaps, options.verifyOnly].filter(Boolean);
  if (ways.length > 1)
    throw new CliError('CLI_BAD_ARGUMENT', 'choose one of --replace, --keep-maps, --fresh-maps and --verify-only');
  if (statSync(file).size > MAX_OBJECT_BYTES)
    throw new CliError(
      'CLI_BAD_ARGUMENT',
      `${file}: too large for an object file; the limit is ${MAX_OBJECT_BYTES} bytes`,
    );
  const object = readFileSync(file);
  return async ({ client, out }) => {
    const messages = encodeObject(
      {
        program,
        replace: options.replace === true || options.keepMaps === true || options.freshMaps === true,
        keepMaps: options.keepMaps === true ? 'all' : options.freshMaps === true ? 'none' : 'fitting',
        verifyOnly: options.verifyOnly === true,
        name: basename(file, '.o'),
        section: options.section ?? '',
        function: options.function ?? '',
      },
      object,
    );
    for await (const { description, replaced, keptMaps } of requestOko(client, messages, 'prog_load_reply')) {
      if (options.json === true) out(json({ replaced, keptMaps, ...programJson(description) }));
      else if (options.verifyOnly === true) {
        out('accepted:');
        for (const line of formatProgram(description)) out(line);
      }
    }
  };
};

const unloadProgram: Verb = ([id], { force }) => {
  const program = programNumber(id);
  return ({ client }) => performOko(client, { kind: 'prog_unload', program, force: force === true });
};

const showPrograms: Verb = ([id], options) => {
  const program = id === undefined ? 0 : programNumber(id);
  return async ({ client, version, out }) => {
    const programs: ProgramDescription[] = [];
    for await (const part of requestOko(client, { kind: 'prog_desc_request', program }, 'prog_desc_reply'))
      programs.push(...part.programs);
    if (options.json === true) {
      out(json(programs.map(programJson)));
      return;
    }
    out(`${messageTitle('OKO_PROG_DESC reply', version, client.lastXid)} ${programs.length} program(s)`);
    for (const found of programs) for (const line of formatProgram(found)) out(line);
  };
};

const updateMap: Verb = ([id, map, ...words]) => {
  const [program, reference] = [programNumber(id), mapReference(map)];
  const entries = entryArguments(words, undefined);
  return ({ client }) => performOko(client, { kind: 'map_update', program, map: reference, mode: 'any', ...entries });
};

const deleteMap: Verb = ([id, map, ...words], { all }) => {
  const [program, reference] = [programNumber(id), mapReference(map)];
  if ((all === true) === words.length > 0)
    throw new CliError('CLI_BAD_ARGUMENT', 'delete-map: expected either key B… or --all');
  const keys =
    all === true ? { keySize: 0, valueSize: 0, count: 0, entries: new Uint8Array(0) } : entryArguments(words, false);
  return ({ client }) =>
    performOko(client, { kind: 'map_delete', program, map: reference, all: all === true, ...keys });
};

const lookupMap: Verb = ([id, map, ...words], options) => {
  const request = {
    kind: 'map_lookup',
    program: programNumber(id),
    map: mapReference(map),
    ...entryArguments(words, false),
  } as const;
  return async ({ client, out }) => {
    for await (const contents of requestOko(client, request, 'map_contents'))
      for (const line of options.json === true ? jsonEntries(contents) : formatEntries(contents)) out(line);
  };
};

const dumpMap: Verb = ([id, map, form], options) => {
  if (form !== undefined && form !== 'hex')
    throw new CliError('CLI_BAD_ARGUMENT', `${form}: expected hex, which is how bytes are printed in any case`);
  const request = { kind: 'map_dump', program: programNumber(id), map: mapReference(map) } as const;
  return async ({ client, out }) => {
    const parts: MapContents[] = [];
    for await (const part of requestOko(client, request, 'map_contents')) {
      if (options.json === true) for (const line of jsonEntries(part)) out(line);
      else parts.push(part);
    }
    if (options.json === true) return;
    // The count comes first, and while packets change the map only what has come can be counted.
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    out(messageTitle('NXT_DUMP_MAP_REPLY', 1, client.lastXid));
    out(`The map contains ${count} element(s)`);
    for (const part of parts) for (const line of formatEntries(part)) out(line);
  };
};

const monitorMap: Verb = ([id, map], options) => {
  const [program, reference] = [programNumber(id), mapReference(map)];
  const period = options.period ?? String(DEFAULT_PERIOD_MS);
  if (!/^[1-9]\d{0,8}$/.test(period))
    throw new CliError('CLI_BAD_ARGUMENT', `--period ${period}: expected a number of milliseconds from 1 on`);
  return async ({ client, out }) => {
    await performOko(client, {
      kind: 'map_subscribe',
      ...{ program, map: reference, subscription: SUBSCRIPTION, periodMs: Number(period) },
      onlyChanges: options.changes === true,
    });
    for (;;) {
      const contents = await client.receiveOko('map_contents');
      if (options.json === true) for (const line of jsonEntries(contents)) out(line);
      else for (const line of formatChange(contents)) out(line);
    }
  };
};

function formatChange(contents: MapContents): string[] {
  if (!contents.deleted) return [`${contents.name}: ${contents.count} element(s)`, ...formatEntries(contents)];
  return [
    `${contents.name}: ${contents.count} element(s) deleted`,
    ...[...entriesOf(contents)].map(([key]) => `Key: ${toHex(key, ' ')}`),
  ];
}

function jsonEntries(contents: MapContents): string[] {
  return [...entriesOf(contents)].map(([key, value]) =>
    json({
      map: contents.name,
      key: [...key],
      ...(contents.deleted ? { deleted: true } : { value: [...value] }),
    }),
  );
}

function programJson({ loadedAtNs, ...program }: ProgramDescription): object {
  const loadedAt = loadedAtNs === 0n ? null : new Date(Number(loadedAtNs / 1_000_000n)).toISOString();
  return { ...program, loadedAt };
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? Number(part) : part));
}

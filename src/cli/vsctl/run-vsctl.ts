import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Json,
  type JsonObject,
  OvsdbError,
  parseUuid,
  printJsonSorted,
  scalarDatum,
  type Uuid,
} from '../../ovsdb/index.ts';
import { type ParsedCommand, parseCommands } from './command-line.ts';
import { CommandContext, type CommandOutput, ExitNow, Transaction, TryAgain } from './context.ts';
import { openDatabase, type VswitchClient } from './database-connection.ts';
import { helpText } from './help.ts';
import { parseVsctlOptions, type VsctlOptions } from './options.ts';
import { printTable } from './table-text.ts';
import { VERB_OPTIONS, VERBS } from './verbs.ts';
import { VsctlError } from './vsctl-error.ts';

export interface VsctlStreams {
  out(text: string): void;
  err(text: string): void;
}

/** The status of a program that SIGALRM ended, as a shell gives it. */
export const TIMEOUT_STATUS = 142;

/** What one try at the commands has led to. */
interface Outcome {
  readonly outputs: readonly CommandOutput[];
  /** What `cur_cfg` has to reach; undefined when the database was not changed. */
  readonly nextCfg: number | undefined;
  readonly expectedInterfaces: readonly Uuid[];
}

/** Does what `ovs-vsctl ARGS` does and gives the exit status. */
export async function runVsctl(args: readonly string[], streams: VsctlStreams): Promise<number> {
  let warnings = 1;
  const warn = (message: string, module = 'vsctl'): void => {
    const number = String(++warnings).padStart(5, '0');
    streams.err(`${new Date().toISOString().slice(0, 19)}Z|${number}|${module}|WARN|${message}\n`);
  };
  try {
    const options = parseVsctlOptions(args, VERB_OPTIONS);
    if (options.inform) {
      streams.out(helpText(options.inform));
      return 0;
    }
    const commands = parseCommands(options.rest, options.local, VERBS);
    return await new Runner(options, commands, args, streams, warn).run();
  } catch (error) {
    if (error instanceof ExitNow) return error.status;
    if (!(error instanceof VsctlError || error instanceof OvsdbError)) throw error;
    streams.err(`ovs-vsctl: ${error.message}\n`);
    return 1;
  }
}

class Runner {
  readonly #options: VsctlOptions;
  readonly #commands: readonly ParsedCommand[];
  readonly #typed: string;
  readonly #streams: VsctlStreams;
  readonly #warn: (message: string, module?: string) => void;

  constructor(
    options: VsctlOptions,
    commands: readonly ParsedCommand[],
    args: readonly string[],
    streams: VsctlStreams,
    warn: (message: string, module?: string) => void,
  ) {
    this.#options = options;
    this.#commands = commands;
    this.#typed = ['ovs-vsctl', ...args].map(quoted).join(' ');
    this.#streams = streams;
    this.#warn = warn;
  }

  async run(): Promise<number> {
    const { client, failed } = openDatabase(this.#options);
    const timer = new AbortController();
    const { timeoutSec } = this.#options;
    try {
      const ways: Promise<number>[] = [failed, this.#work(client)];
      if (timeoutSec !== undefined) ways.push(sleep(timeoutSec * 1000, TIMEOUT_STATUS, { signal: timer.signal }));
      const status = await Promise.race(ways);
      if (status === TIMEOUT_STATUS) this.#warn('terminating with signal 14 (Alarm clock)', 'fatal_signal');
      return status;
    } finally {
      timer.abort();
      client.close();
    }
  }

  async #work(client: VswitchClient): Promise<number> {
    await client.whenReady();
    let outcome: Outcome | undefined;
    while (!outcome) {
      // Listening begins before the try, so that no change is missed.
      const changed = nextChange(client);
      outcome = await this.#attempt(client);
      if (!outcome) await changed;
    }
    for (const output of outcome.outputs) this.#print(output);
    if (outcome.nextCfg === undefined || !this.#options.waits || this.#options.isDryRun) return 0;
    await reached(client, outcome.nextCfg);
    this.#checkInterfaces(client, outcome.expectedInterfaces);
    return 0;
  }

  /** Gives undefined when it has to be tried again after a change of the database. */
  async #attempt(client: VswitchClient): Promise<Outcome | undefined> {
    const transaction = new Transaction(client.draft(), this.#warn);
    const outputs: CommandOutput[] = [];
    try {
      for (const command of this.#commands) {
        const context = new CommandContext(transaction, command);
        VERBS.get(command.name)?.run(context);
        outputs.push(context.output);
      }
    } catch (error) {
      if (error instanceof TryAgain) return undefined;
      throw error;
    }
    this.#checkSymbols(transaction);
    const results = await this.#commit(client, transaction);
    if (!results) return undefined;
    for (const output of outputs) if (output.created) output.text = `${results.uuidOf(output.created.uuid)}\n`;
    return {
      outputs,
      nextCfg: results.nextCfg,
      expectedInterfaces: transaction.expectedInterfaces.map(({ uuid }) => results.uuidOf(uuid)),
    };
  }

  #checkSymbols({ symbols }: Transaction): void {
    for (const { name, isCreated } of symbols.values())
      if (!isCreated)
        throw new VsctlError(
          `row id "${name}" is referenced but never created (e.g. with "-- --id=${name} create ...")`,
        );
    for (const { name, isStronglyReferred, isWeaklyReferred } of symbols.values())
      if (!isStronglyReferred)
        this.#warn(
          `row id "${name}" was created but ${isWeaklyReferred ? 'only a weak' : 'no'} reference to it was inserted, so it will not actually appear in the database`,
        );
  }

  /** Sends the changes. Gives undefined when what they build on has changed in the meantime. */
  async #commit(client: VswitchClient, transaction: Transaction) {
    const { root } = transaction;
    const isChanged = transaction.draft.operations().length > 0;
    // The very first transaction inserts the root row: there is nothing to be incremented yet.
    if (isChanged && this.#options.waits && root.isNew) root.write('next_cfg', scalarDatum(1));
    const operations = transaction.draft.operations();
    if (!isChanged) return { uuidOf: (uuid: Uuid) => uuid, nextCfg: undefined };
    const where: Json = [['_uuid', '==', ['uuid', root.uuid]]];
    const selectAt = operations.length + 1;
    if (this.#options.waits && !root.isNew) {
      operations.push({ op: 'mutate', table: 'Open_vSwitch', where, mutations: [['next_cfg', '+=', 1]] });
      operations.push({ op: 'select', table: 'Open_vSwitch', where, columns: ['next_cfg'] });
    }
    operations.push({ op: 'comment', comment: [this.#typed, ...transaction.comments].join('\n') });
    if (this.#options.isDryRun) operations.push({ op: 'abort' });
    let isStale = false;
    const unsubscribe = client.onChange(() => {
      isStale = true;
    });
    const results = await client.call('transact', [client.schema.name, ...operations]).finally(unsubscribe);
    const replies = Array.isArray(results) ? (results as readonly JsonObject[]) : [];
    for (const reply of replies) {
      const error = reply?.error;
      if (error === undefined || error === 'aborted') continue;
      if (error === 'timed out' || (error === 'constraint violation' && isStale)) return undefined;
      throw new VsctlError(`transaction error: ${printJsonSorted(reply)}`);
    }
    const uuids = new Map<Uuid, Uuid>();
    operations.forEach((operation, i) => {
      const name = operation['uuid-name'];
      const uuid = uuidIn(replies[i]?.uuid);
      if (typeof name === 'string' && uuid) uuids.set(name.slice('row'.length).replaceAll('_', '-') as Uuid, uuid);
    });
    const nextCfg = root.isNew ? 1 : selectedNumber(replies[selectAt]);
    return { uuidOf: (uuid: Uuid) => uuids.get(uuid) ?? uuid, nextCfg };
  }

  #print({ text, table }: CommandOutput): void {
    const { style, isOneLine } = this.#options;
    if (table) this.#streams.out(this.#separator() + printTable(table, style));
    else if (isOneLine)
      this.#streams.out(`${text.replaceAll('\\', '\\\\').replace(/\n$/, '').replaceAll('\n', '\\n')}\n`);
    else this.#streams.out(text);
  }

  #tables = 0;

  /** A blank line between tables, where nothing else parts them. */
  #separator(): string {
    const { format } = this.#options.style;
    return this.#tables++ > 0 && format !== 'json' && format !== 'html' ? '\n' : '';
  }

  #checkInterfaces(client: VswitchClient, uuids: readonly Uuid[]): void {
    let hasFailed = false;
    for (const uuid of uuids) {
      const row = client.row('Interface', uuid);
      if (row?.ofport !== -1) continue;
      hasFailed = true;
      const why = row.error === null ? '' : `: ${row.error}`;
      this.#streams.err(
        `ovs-vsctl: Error detected while setting up '${row.name}'${why}.  See ovs-vswitchd log for details.\n`,
      );
    }
    if (hasFailed)
      this.#streams.err(
        `ovs-vsctl: The default log directory is "${process.env.OVS_LOGDIR || '/var/log/openvswitch'}".\n`,
      );
  }
}

function nextChange(client: VswitchClient): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = client.onChange(() => {
      unsubscribe();
      resolve();
    });
  });
}

async function reached(client: VswitchClient, nextCfg: number): Promise<void> {
  for (;;) {
    const changed = nextChange(client);
    for (const root of client.rows('Open_vSwitch').values()) if (root.cur_cfg >= nextCfg) return;
    await changed;
  }
}

function uuidIn(json: Json | undefined): Uuid | undefined {
  return Array.isArray(json) && typeof json[1] === 'string' ? parseUuid(json[1]) : undefined;
}

function selectedNumber(reply: JsonObject | undefined): number | undefined {
  const rows = reply?.rows;
  const [row] = Array.isArray(rows) ? (rows as readonly JsonObject[]) : [];
  return typeof row?.next_cfg === 'number' ? row.next_cfg : undefined;
}

/** For the comment in the database file: as a shell would need it. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replace(/["\\$`]/g, '\\$&')}"`;
}

import type { BaseType } from '../../ovsdb/index.ts';
import { type Draft, type DraftRow, newUuid, type Uuid } from '../../ovsdb/index.ts';
import { commandText, type ParsedCommand } from './command-line.ts';
import { Layout } from './layout.ts';
import type { FoundRows } from './table-text.ts';
import { VsctlError } from './vsctl-error.ts';

/** A row that commands call by a name of their own: `--id=@name`. */
export interface RowSymbol {
  readonly name: string;
  uuid: Uuid;
  isCreated: boolean;
  isStronglyReferred: boolean;
  isWeaklyReferred: boolean;
}

/** Ends the program at once, with nothing printed. */
export class ExitNow extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

/** Thrown when the commands have to be done again once the database has changed. */
export class TryAgain extends Error {}

export interface CommandOutput {
  text: string;
  table?: FoundRows;
  /** Rows whose UUIDs are printed once the database has given them one. */
  created?: DraftRow;
}

/** What the commands of one transaction share. */
export class Transaction {
  readonly draft: Draft;
  readonly root: DraftRow;
  readonly symbols = new Map<string, RowSymbol>();
  readonly comments: string[] = [];
  /** Interfaces that the daemon is expected to open. */
  readonly expectedInterfaces: DraftRow[] = [];
  readonly warn: (message: string, module?: string) => void;
  #layout: Layout | undefined;

  constructor(draft: Draft, warn: (message: string, module?: string) => void) {
    this.draft = draft;
    this.warn = warn;
    const [root] = draft.rows('Open_vSwitch');
    this.root = root ?? draft.insert('Open_vSwitch');
  }

  /** The bridges, ports and interfaces; made when first asked for, and anew after `forgetLayout`. */
  get layout(): Layout {
    this.#layout ??= new Layout(this.draft, this.root, this.warn);
    return this.#layout;
  }

  /** Rows have been changed past the layout. */
  forgetLayout(): void {
    this.#layout = undefined;
  }

  symbol(name: string): RowSymbol {
    let symbol = this.symbols.get(name);
    if (!symbol) {
      symbol = { name, uuid: newUuid(), isCreated: false, isStronglyReferred: false, isWeaklyReferred: false };
      this.symbols.set(name, symbol);
    }
    return symbol;
  }

  /** For texts of values, in which `@name` stands for a row. */
  readonly referTo = (name: string, base: BaseType): Uuid => {
    const symbol = this.symbol(name);
    if (base.refType === 'strong') symbol.isStronglyReferred = true;
    else if (base.refType === 'weak') symbol.isWeaklyReferred = true;
    return symbol.uuid;
  };
}

/** One command while it runs. */
export class CommandContext {
  readonly transaction: Transaction;
  readonly command: ParsedCommand;
  readonly output: CommandOutput = { text: '' };

  constructor(transaction: Transaction, command: ParsedCommand) {
    this.transaction = transaction;
    this.command = command;
  }

  get draft(): Draft {
    return this.transaction.draft;
  }

  get root(): DraftRow {
    return this.transaction.root;
  }

  get layout(): Layout {
    return this.transaction.layout;
  }

  get args(): readonly string[] {
    return this.command.args;
  }

  has(option: string): boolean {
    return this.command.options.has(option);
  }

  option(name: string): string | undefined {
    return this.command.options.get(name);
  }

  /** The command as it was typed, for messages. */
  get text(): string {
    return commandText(this.command);
  }

  print(line: string): void {
    this.output.text += `${line}\n`;
  }

  warn(message: string, module?: string): void {
    this.transaction.warn(message, module);
  }
}

/** A command's way to fail in a few words. */
export function fail(message: string): never {
  throw new VsctlError(message);
}

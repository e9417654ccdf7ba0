import { ALL_TABLES } from '../openflow/index.ts';
import { OfprotoError } from './errors.ts';
import { FlowTable } from './flow-table.ts';

/** Tables 0 to 253; 254 is kept for the switch itself, and 255 means all. */
export const TABLE_COUNT = 254;

/** The flow tables of a bridge; one that nobody has used takes no memory. */
export class FlowTables {
  readonly #tables: (FlowTable | undefined)[] = [];
  readonly #maxFlows: number | undefined;
  /** Goes up with every change that packets may meet; see `Rule.isVisible`. */
  version = 0;

  constructor(maxFlows?: number) {
    this.#maxFlows = maxFlows;
  }

  /** @throws OfprotoError OFPROTO_BAD_TABLE */
  get(number: number): FlowTable {
    if (!Number.isInteger(number) || number < 0 || number >= TABLE_COUNT)
      throw new OfprotoError(
        'OFPROTO_BAD_TABLE',
        `there is no table ${number}; tables have numbers from 0 to ${TABLE_COUNT - 1}`,
      );
    this.#tables[number] ??= new FlowTable(number, this.#maxFlows);
    return this.#tables[number];
  }

  /** The table, if anybody has used it. */
  peek(number: number): FlowTable | undefined {
    return this.#tables[number];
  }

  /** The tables in use that a number means: one, or all of them. @throws OfprotoError OFPROTO_BAD_TABLE */
  select(number: number): Iterable<FlowTable> {
    return number === ALL_TABLES ? this.used() : [this.get(number)];
  }

  *used(): Iterable<FlowTable> {
    for (const table of this.#tables) if (table !== undefined) yield table;
  }
}

import { ByteWriter } from '../../bytes/index.ts';
import { type TableFeatureProperty, type TableFeatures, wireIdFor, writeOxmHeader } from '../../openflow/index.ts';
import { FIELDS, type Field, OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import type { TableStats } from '../flow-stats.ts';
import { TABLE_COUNT } from '../flow-tables.ts';

/** ofp_table_feature_prop_type (OpenFlow 1.3.5 section 7.3.5.5.2); the one for table misses is one more. */
const PROPERTY = {
  instructions: 0,
  nextTables: 2,
  writeActions: 4,
  applyActions: 6,
  match: 8,
  wildcards: 10,
  writeSetField: 12,
  applySetField: 14,
} as const;

/** ofp_instruction_type: goto_table, write_metadata, write_actions, apply_actions, clear_actions. */
const GOTO_TABLE = 1;
const INSTRUCTIONS = [GOTO_TABLE, 2, 3, 4, 5];
/** ofp_action_type: output, the TTLs, VLAN and MPLS tags, set_queue, dec_nw_ttl and set_field. */
const ACTIONS = [0, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25];

/** What a field's header says of what would follow it. */
interface Payload {
  readonly bytes: number;
  readonly hasMask: boolean;
}

function numbers(types: readonly number[]): Uint8Array {
  const writer = new ByteWriter(64);
  for (const type of types) writer.u16(type).u16(4);
  return writer.finish();
}

function headers(fields: readonly Field[], version: OpenflowVersion, payload: (field: Field) => Payload): Uint8Array {
  const writer = new ByteWriter(1024);
  for (const field of fields) {
    const id = wireIdFor(field, version);
    const { bytes, hasMask } = payload(field);
    if (id !== undefined) writeOxmHeader(writer, id, bytes, hasMask);
  }
  return writer.finish();
}

/**
 * What every table can match and do: the same for all of them, but that the last one has no table to go on to. Fields stand
 * with their code points of the version, in the registry's order.
 */
export function* tableFeatures(version: OpenflowVersion, tables: readonly TableStats[]): Generator<TableFeatures> {
  const fields = FIELDS.filter((field) => field.origin !== 'identity' && wireIdFor(field, version) !== undefined);
  const plain = (field: Field): Payload => ({ bytes: field.bytes, hasMask: false });
  const masked = (field: Field): Payload => ({ bytes: 2 * field.bytes, hasMask: true });
  const writable = headers(
    fields.filter((field) => field.writable),
    version,
    plain,
  );
  const actions = numbers(ACTIONS);
  const matches = headers(fields, version, (field) => (field.maskable ? masked(field) : plain(field)));
  const wildcards = headers(fields, version, plain);
  for (const { table, maxEntries } of tables) {
    const next = Uint8Array.from({ length: TABLE_COUNT - 1 - table }, (_, i) => table + 1 + i);
    const instructions = numbers(next.length > 0 ? INSTRUCTIONS : INSTRUCTIONS.filter((type) => type !== GOTO_TABLE));
    const both = (type: number, content: Uint8Array): TableFeatureProperty[] => [
      { type, content },
      { type: type + 1, content },
    ];
    yield {
      table,
      name: '',
      metadataMatch: ALL_BITS,
      metadataWrite: ALL_BITS,
      config: 0,
      maxEntries,
      ...(version >= OPENFLOW_VERSIONS.of15 ? { command: 0, features: 0 } : {}),
      properties: [
        ...both(PROPERTY.instructions, instructions),
        ...both(PROPERTY.nextTables, next),
        ...both(PROPERTY.writeActions, actions),
        ...both(PROPERTY.applyActions, actions),
        { type: PROPERTY.match, content: matches },
        { type: PROPERTY.wildcards, content: wildcards },
        ...both(PROPERTY.writeSetField, writable),
        ...both(PROPERTY.applySetField, writable),
      ],
    };
  }
}

const ALL_BITS = 0xffff_ffff_ffff_ffffn;

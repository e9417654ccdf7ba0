import { type Field, type FieldValue, valueToBigInt } from '../../packet/index.ts';
import type { LearnAction, LearnSpec } from '../action.ts';
import { OpenflowError } from '../errors.ts';
import { formatSubfield, parseSubfield, readSubfield, type Subfield, wholeField } from '../subfield.ts';
import { formatFieldValue, hex, parseFieldValue } from '../text/field-value.ts';
import { formatTable, parseTable, type TextNames } from '../text/names.ts';
import { parseBigInteger, parseInteger } from '../text/number.ts';
import { type KeyValue, keyValues } from '../text/tokens.ts';
import { readPrerequisites, subfieldValue } from './fields.ts';
import { type ActionKinds, type ActionParser, badAction } from './kind.ts';

export const DEFAULT_PRIORITY = 0x8000;

function isWhole(subfield: Subfield): boolean {
  return subfield.start === 0 && subfield.bits === subfield.field.width;
}

function sameSubfield(a: Subfield, b: Subfield): boolean {
  return a.field === b.field && a.start === b.start && a.bits === b.bits;
}

/** A literal in a learn is right-aligned in the field's bytes, whatever part of the field it is for. */
function literalOf(field: Field, number: bigint): FieldValue {
  return subfieldValue({ field, start: 0, bits: 8 * field.bytes }, number).value;
}

function isSubfield(source: Subfield | FieldValue): source is Subfield {
  return !(source instanceof Uint8Array);
}

function formatSpec(spec: LearnSpec, names: TextNames): string {
  if (spec.kind === 'output') return `output:${formatSubfield(spec.source)}`;
  const destination = formatSubfield(spec.destination);
  if (spec.kind === 'load') {
    const source = isSubfield(spec.source) ? formatSubfield(spec.source) : hex(valueToBigInt(spec.source));
    return `load:${source}->${destination}`;
  }
  if (isSubfield(spec.source))
    return sameSubfield(spec.source, spec.destination) ? destination : `${destination}=${formatSubfield(spec.source)}`;
  if (isWhole(spec.destination))
    return `${spec.destination.field.name}=${formatFieldValue(spec.destination.field, spec.source, undefined, names)}`;
  return `${destination}=${hex(valueToBigInt(spec.source))}`;
}

export const learnKinds = {
  learn: {
    format(action, { names }) {
      const parts = [`table=${formatTable(action.table, names)}`];
      if (action.idleTimeout !== 0) parts.push(`idle_timeout=${action.idleTimeout}`);
      if (action.hardTimeout !== 0) parts.push(`hard_timeout=${action.hardTimeout}`);
      if (action.finIdleTimeout !== 0) parts.push(`fin_idle_timeout=${action.finIdleTimeout}`);
      if (action.finHardTimeout !== 0) parts.push(`fin_hard_timeout=${action.finHardTimeout}`);
      if (action.priority !== DEFAULT_PRIORITY) parts.push(`priority=${action.priority}`);
      if (action.sendFlowRem) parts.push('send_flow_rem');
      if (action.deleteLearned) parts.push('delete_learned');
      if (action.cookie !== 0n) parts.push(`cookie=${hex(action.cookie)}`);
      if (action.limit !== 0) parts.push(`limit=${action.limit}`);
      if (action.resultDestination) parts.push(`result_dst=${formatSubfield(action.resultDestination)}`);
      return `learn(${[...parts, ...action.specs.map((spec) => formatSpec(spec, names))].join(',')})`;
    },
    reads(action, use) {
      for (const { source } of action.specs) {
        if (!isSubfield(source)) continue;
        readPrerequisites(source.field, use);
        use.subfield(source);
      }
    },
    writes(action, use) {
      if (action.resultDestination) use.subfield(action.resultDestination);
    },
  },
} satisfies Partial<ActionKinds>;

const parseLearn: ActionParser = ({ value, text }, { names }) => {
  let learn: LearnAction = {
    type: 'learn',
    idleTimeout: 0,
    hardTimeout: 0,
    priority: DEFAULT_PRIORITY,
    cookie: 0n,
    sendFlowRem: false,
    deleteLearned: false,
    table: 1,
    finIdleTimeout: 0,
    finHardTimeout: 0,
    limit: 0,
    specs: [],
  };
  const specs: LearnSpec[] = [];
  for (const piece of keyValues(value)) {
    const number = (bits: number): number => parseInteger(piece.value, bits, `learn ${piece.key}`);
    switch (piece.key) {
      case 'table':
        learn = { ...learn, table: parseTable(piece.value, names) };
        break;
      case 'idle_timeout':
        learn = { ...learn, idleTimeout: number(16) };
        break;
      case 'hard_timeout':
        learn = { ...learn, hardTimeout: number(16) };
        break;
      case 'fin_idle_timeout':
        learn = { ...learn, finIdleTimeout: number(16) };
        break;
      case 'fin_hard_timeout':
        learn = { ...learn, finHardTimeout: number(16) };
        break;
      case 'priority':
        learn = { ...learn, priority: number(16) };
        break;
      case 'cookie':
        learn = { ...learn, cookie: parseBigInteger(piece.value, 64, 'learn cookie') };
        break;
      case 'send_flow_rem':
        learn = { ...learn, sendFlowRem: true };
        break;
      case 'delete_learned':
        learn = { ...learn, deleteLearned: true };
        break;
      case 'limit':
        learn = { ...learn, limit: number(32) };
        break;
      case 'result_dst': {
        const resultDestination = parseSubfield(piece.value, 'learn result_dst');
        if (resultDestination.bits !== 1) throw badAction(`learn: result_dst in "${text}" is not one bit wide`);
        learn = { ...learn, resultDestination };
        break;
      }
      default:
        specs.push(parseSpec(piece, names));
    }
  }
  return { ...learn, specs };
};

function parseSpec(piece: KeyValue, names: TextNames): LearnSpec {
  if (piece.key === 'output') return { kind: 'output', source: parseSubfield(piece.value, 'learn output') };
  if (piece.key === 'load') return parseLoadSpec(piece);
  const destination = readSubfield(piece.key);
  if (!destination)
    throw new OpenflowError(
      'OPENFLOW_UNKNOWN_FIELD',
      `learn: "${piece.text}": no field or argument is named "${piece.key}"`,
    );
  if (piece.value === '') return { kind: 'match', destination, source: destination };
  const source = readSubfield(piece.value);
  if (source) {
    requireSameWidth(piece.text, destination, source);
    return { kind: 'match', destination, source };
  }
  const what = `learn ${piece.key}`;
  if (!isWhole(destination))
    return {
      kind: 'match',
      destination,
      source: literalOf(destination.field, parseBigInteger(piece.value, destination.bits, what)),
    };
  const { value } = parseFieldValue(destination.field, piece.value, names, what);
  return { kind: 'match', destination: wholeField(destination.field), source: value };
}

function parseLoadSpec(piece: KeyValue): LearnSpec {
  const at = piece.value.lastIndexOf('->');
  if (at < 0) throw badAction(`learn: "${piece.text}" has no "->"`);
  const destination = parseSubfield(piece.value.slice(at + 2), 'learn load');
  if (!destination.field.writable)
    throw new OpenflowError('OPENFLOW_READ_ONLY_FIELD', `learn load: ${destination.field.name} is read-only`);
  const from = piece.value.slice(0, at);
  const source = readSubfield(from);
  if (source) {
    requireSameWidth(piece.text, destination, source);
    return { kind: 'load', destination, source };
  }
  const number = parseBigInteger(from, destination.bits, 'learn load');
  return { kind: 'load', destination, source: literalOf(destination.field, number) };
}

function requireSameWidth(text: string, a: Subfield, b: Subfield): void {
  if (a.bits !== b.bits) throw badAction(`learn: in "${text}" one side is ${a.bits} bits wide and the other ${b.bits}`);
}

export const learnParsers: Readonly<Record<string, ActionParser>> = { learn: parseLearn };

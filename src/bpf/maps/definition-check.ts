import { BpfError } from '../errors.ts';
import { itemSize } from '../helpers.ts';
import type { MapDefinition } from './definition.ts';
import { MAX_HASH_COUNT, MAX_KEY_SIZE } from './layout.ts';

/** Most bytes of a value. */
export const MAX_VALUE_SIZE = 1 << 20;
/** Most elements, bits or counters; what fits in memory is decided when the map is made. */
export const MAX_ENTRIES = 2 ** 30;
/** Linux's longest LPM key: 256 bytes after the length. */
const MAX_LPM_KEY_SIZE = 4 + 256;

/** Refuses a definition that no map can have. */
export function checkMapDefinition(definition: MapDefinition): void {
  const { kind, keySize, valueSize, maxEntries, hashCount, initial } = definition;
  const refuse = (what: string, value: number, allowed: string): never => {
    throw new BpfError('BPF_BAD_MAP', `map ${definition.name} (${kind}): ${what} is ${value}, must be ${allowed}`);
  };
  const check = (what: string, value: number, least: number, most: number): void => {
    if (!Number.isInteger(value) || value < least || value > most) refuse(what, value, `${least} to ${most}`);
  };
  check('max_entries', maxEntries, 1, MAX_ENTRIES);
  switch (kind) {
    case 'array':
    case 'per-thread-array':
      if (keySize !== 4 && keySize !== 8) refuse('key_size', keySize, '4 or 8');
      check('value_size', valueSize, 1, MAX_VALUE_SIZE);
      break;
    case 'lpm-trie':
      check('key_size', keySize, 5, MAX_LPM_KEY_SIZE);
      check('value_size', valueSize, 1, MAX_VALUE_SIZE);
      break;
    case 'bloom':
      check('key_size (of an item)', itemSize(definition), 1, MAX_KEY_SIZE);
      check('nb_hash_functions', hashCount, 1, MAX_HASH_COUNT);
      break;
    case 'count-min':
      check('key_size (of an item)', keySize, 1, MAX_KEY_SIZE);
      if (valueSize !== 4 && valueSize !== 8) refuse('value_size (of a counter)', valueSize, '4 or 8');
      check('nb_hash_functions', hashCount, 1, MAX_HASH_COUNT);
      break;
    default:
      check('key_size', keySize, 1, MAX_KEY_SIZE);
      check('value_size', valueSize, 1, MAX_VALUE_SIZE);
  }
  if (initial !== undefined && (kind !== 'array' || initial.length > valueSize))
    refuse('the initial content', initial.length, `at most value_size (${valueSize}) bytes of an array`);
}

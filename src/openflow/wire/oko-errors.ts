import { type ErrorTable, OkoError } from '../../bytes/index.ts';
import { OKO_EXPERIMENTER } from '../../packet/index.ts';
import type { ErrorMessage } from '../message.ts';
import type { ErrorName } from './error-codes.ts';

/** What a request of Oko's extension can be refused for. On the wire each is a number, in `EXTENSION_ERROR_NUMBERS`. */
export const EXTENSION_ERRORS = {
  OKO_BAD_REQUEST: {
    meaning: 'A message about programs or maps is malformed, or asks for things that exclude each other.',
    remedy: 'Mend the sender; the message says which part is wrong, docs/oko-protocol.md how it should be.',
  },
  OKO_BAD_PROGRAM_ID: {
    meaning: 'A filter program was given a number outside 1 to 65535.',
    remedy: 'Choose a number from 1 to 65535.',
  },
  OKO_NO_SUCH_PROGRAM: {
    meaning: 'A filter program was named that is not loaded.',
    remedy: 'Load it first, or correct the number; show-filter-progs lists what is loaded.',
  },
  OKO_PROGRAM_EXISTS: {
    meaning: 'A program was to be loaded under a number that another one has.',
    remedy: 'Choose another number, or say that it shall be replaced (--replace).',
  },
  OKO_BAD_OBJECT: {
    meaning: 'The file to be loaded is no object file of an eBPF program, or not one that can be used.',
    remedy: 'Compile the program for eBPF (clang -target bpf -O2 -c); the message says what is wrong with this one.',
  },
  OKO_REJECTED: {
    meaning: 'The verifier did not accept the program, since it may do what no filter may.',
    remedy: 'The message shows where and why, and often how to mend it; `oko bpf verify` shows it without a switch.',
  },
  OKO_BAD_CHUNK: {
    meaning: 'The parts of an object did not arrive in order, or were not as many bytes as announced.',
    remedy: 'Send the whole object again, each part from where the one before it ended.',
  },
  OKO_TOO_LARGE: {
    meaning: 'Something is larger than the switch takes, an object file or a reply.',
    remedy: 'The message names the limit; make the object smaller (strip -g), or ask for less at a time.',
  },
  OKO_TOO_MANY: {
    meaning: 'A limit is reached, of programs in a bridge or of subscriptions on a connection.',
    remedy: 'Unload or cancel what is no longer needed, or raise the limit that the message names.',
  },
  OKO_NO_MEMORY: {
    meaning: 'The maps of a program do not fit into the memory that a bridge has for maps.',
    remedy: 'Make the maps smaller, unload other programs, or give the bridge more memory.',
  },
  OKO_IN_USE: {
    meaning: 'A program cannot be unloaded while flows refer to it.',
    remedy: 'Remove the flows that the message names first, or unload by force (--force); then they match nothing.',
  },
  OKO_MAPS_DO_NOT_FIT: {
    meaning: 'A program was to take over all maps of the one it replaces, and does not declare them alike.',
    remedy: 'Declare the maps with the same name, kind and sizes, or replace without --keep-maps.',
  },
  OKO_NO_SUCH_MAP: {
    meaning: 'A map was named that the filter program does not have.',
    remedy: 'The message lists the maps of the program; name one of them by number or name.',
  },
  OKO_BAD_KEY_SIZE: {
    meaning: 'A key has not as many bytes as the keys of the map.',
    remedy: 'Give as many bytes as the message says.',
  },
  OKO_BAD_VALUE_SIZE: {
    meaning: 'A value has not as many bytes as the values of the map.',
    remedy: 'Give as many bytes as the message says.',
  },
  OKO_MAP_FULL: {
    meaning: 'A map has no room for another key.',
    remedy: 'Delete keys that are no longer needed, or load the program with a larger max_entries.',
  },
  OKO_NO_SUCH_KEY: {
    meaning: 'The map has no such key.',
    remedy: 'dump-map lists the keys that there are.',
  },
  OKO_KEY_EXISTS: {
    meaning: 'A key was to be added only if it is not there, and it is.',
    remedy: 'Update without that condition to change its value.',
  },
  OKO_BAD_INDEX: {
    meaning: 'The index is beyond the end of the array.',
    remedy:
      'Use an index below the max_entries that the message names; the bytes of an index are in little-endian order.',
  },
  OKO_NOT_SUPPORTED_BY_MAP: {
    meaning: 'This kind of map does not have this operation.',
    remedy: 'The message says what the kind can do.',
  },
  OKO_READ_ONLY_MAP: {
    meaning: 'The map holds constants of the program, which the verifier relied on, so it cannot be changed.',
    remedy: 'Change the constant in the program and load it again.',
  },
} as const satisfies ErrorTable;

export type ExtensionErrorCode = keyof typeof EXTENSION_ERRORS;

/** A request about programs or maps that is refused. */
export class ExtensionError extends OkoError<ExtensionErrorCode> {}

/** Numbers on the wire: the type of an experimenter error. They never change; new ones are added at the end. */
export const EXTENSION_ERROR_NUMBERS: Readonly<Record<ExtensionErrorCode, number>> = {
  OKO_BAD_REQUEST: 1,
  OKO_BAD_PROGRAM_ID: 2,
  OKO_NO_SUCH_PROGRAM: 3,
  OKO_PROGRAM_EXISTS: 4,
  OKO_BAD_OBJECT: 5,
  OKO_REJECTED: 6,
  OKO_BAD_CHUNK: 7,
  OKO_TOO_LARGE: 8,
  OKO_TOO_MANY: 9,
  OKO_NO_MEMORY: 10,
  OKO_IN_USE: 11,
  OKO_MAPS_DO_NOT_FIT: 12,
  OKO_NO_SUCH_MAP: 13,
  OKO_BAD_KEY_SIZE: 14,
  OKO_BAD_VALUE_SIZE: 15,
  OKO_MAP_FULL: 16,
  OKO_NO_SUCH_KEY: 17,
  OKO_KEY_EXISTS: 18,
  OKO_BAD_INDEX: 19,
  OKO_NOT_SUPPORTED_BY_MAP: 20,
  OKO_READ_ONLY_MAP: 21,
};

/** What a peer is told instead that does not know the extension; for what is not listed, that it may not. */
const STANDARD_NAMES: Readonly<Partial<Record<ExtensionErrorCode, ErrorName>>> = {
  OKO_NO_SUCH_PROGRAM: 'OFPBMC_BAD_VALUE',
  OKO_BAD_PROGRAM_ID: 'OFPBMC_BAD_VALUE',
};

/** The nearest error of OpenFlow itself. */
export function standardNameOf(code: ExtensionErrorCode): ErrorName {
  return STANDARD_NAMES[code] ?? 'OFPBRC_EPERM';
}

/** An explanation that does not fit into a message is cut; this much always fits. */
const MAX_EXPLANATION_BYTES = 0xffff - 64;

/** The error message for a peer that knows the extension: its data is the explanation, in UTF-8. */
export function extensionErrorMessage(error: ExtensionError): ErrorMessage {
  const text = new TextEncoder().encode(error.message);
  return {
    type: 'error',
    experimenter: OKO_EXPERIMENTER,
    errorType: EXTENSION_ERROR_NUMBERS[error.code],
    code: 0,
    data: text.length > MAX_EXPLANATION_BYTES ? cutText(text, MAX_EXPLANATION_BYTES) : text,
  };
}

/** At most `bytes` of a text, no character cut in two. */
function cutText(text: Uint8Array, bytes: number): Uint8Array {
  let end = bytes;
  while (end > 0 && (text[end] & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}

/** The error of a message that was received; undefined when it is not of the extension, or of a newer one than ours. */
export function extensionErrorOf(message: ErrorMessage): ExtensionError | undefined {
  if (message.experimenter !== OKO_EXPERIMENTER) return undefined;
  const found = Object.entries(EXTENSION_ERROR_NUMBERS).find(([, number]) => number === message.errorType);
  if (found === undefined) return undefined;
  return new ExtensionError(found[0] as ExtensionErrorCode, new TextDecoder().decode(message.data));
}

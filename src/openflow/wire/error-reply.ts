import type { OpenflowVersion } from '../../packet/index.ts';
import type { ErrorMessage, Message } from '../message.ts';
import { readHeader } from './codec.ts';
import type { ErrorName } from './error-codes.ts';
import { extensionErrorMessage } from './oko-errors.ts';
import { errorName, type ProtocolError } from './protocol-error.ts';

/** How much of an offending message an error carries back: all that fits, as with Open vSwitch; 64 bytes are the least. */
const DATA_BYTES = 0xffff - 24;

/**
 * The error that answers a message: its transaction id, and the start of it as data. A peer that knows Oko's extension gets the
 * extension's error, with an explanation, where there is one.
 */
export function errorReply(
  error: ProtocolError,
  offending: Uint8Array,
  version: OpenflowVersion,
  knowsExtension = false,
): Message {
  const xid = offending.length >= 8 ? readHeader(offending).xid : 0;
  if (knowsExtension && error.extension !== undefined) return { ...extensionErrorMessage(error.extension), xid };
  const { experimenter, type, code } = error.numbers(version);
  return { type: 'error', xid, experimenter, errorType: type, code, data: offending.slice(0, DATA_BYTES) };
}

/** The error for a failed hello, whose data is a text. */
export function helloFailed(text: string, xid: number): Message {
  const data = Uint8Array.from(text, (char) => char.charCodeAt(0) & 0x7f);
  return { type: 'error', xid, experimenter: 0, errorType: 0, code: 0, data };
}

/** The name of an error that was received, `undefined` when it has none that we know. */
export function nameOfError(message: ErrorMessage, version: OpenflowVersion): ErrorName | undefined {
  const { experimenter, errorType: type, code } = message;
  return errorName(version, { experimenter, type, code });
}

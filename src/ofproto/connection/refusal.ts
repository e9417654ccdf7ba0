import {
  ERROR_CODES,
  type ErrorName,
  ExtensionError,
  OpenflowError,
  ProtocolError,
  standardNameOf,
} from '../../openflow/index.ts';
import { OfprotoError } from '../errors.ts';

/** The OpenFlow error that answers a request; whatever is no refusal of ours is thrown again. */
export function refusal(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof OfprotoError) {
    const name = error.openflowError;
    return new ProtocolError(isErrorName(name) ? name : 'OFPBRC_EPERM', error.message);
  }
  if (error instanceof ExtensionError) return new ProtocolError(standardNameOf(error.code), error.message, error);
  if (error instanceof OpenflowError) return new ProtocolError('OFPBRC_EPERM', error.message);
  throw error;
}

function isErrorName(name: string | undefined): name is ErrorName {
  return name !== undefined && Object.hasOwn(ERROR_CODES, name);
}

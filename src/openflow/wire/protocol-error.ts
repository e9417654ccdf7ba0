import { NICIRA_EXPERIMENTER, ONF_EXPERIMENTER, type OpenflowVersion } from '../../packet/index.ts';
import { OpenflowError } from '../errors.ts';
import { ERROR_CODES, type ErrorName } from './error-codes.ts';
import type { ExtensionError } from './oko-errors.ts';

/** How a version writes an error: type and code, and the experimenter who assigned them unless that is OpenFlow (0). */
export interface ErrorNumbers {
  readonly experimenter: number;
  readonly type: number;
  readonly code: number;
}

const byName = new Map<ErrorName, ReadonlyMap<number, ErrorNumbers>>();
const byNumbers = new Map<string, ErrorName>();

const key = (version: number, { experimenter, type, code }: ErrorNumbers): string =>
  `${version} ${experimenter} ${type} ${code}`;

for (const [name, text] of Object.entries(ERROR_CODES) as [ErrorName, string][]) {
  const versions = new Map<number, ErrorNumbers>();
  for (const run of text.split(' ')) {
    const match = /^(\d)-(\d):(?:(NX|ONF)\/)?(\d+)\/(\d+)$/.exec(run);
    if (!match) throw new TypeError(`malformed error code ${name}: ${run}`);
    const experimenter = match[3] === 'NX' ? NICIRA_EXPERIMENTER : match[3] === 'ONF' ? ONF_EXPERIMENTER : 0;
    const numbers = { experimenter, type: Number(match[4]), code: Number(match[5]) };
    for (let version = Number(match[1]); version <= Number(match[2]); version++) {
      versions.set(version, numbers);
      // Where two names share a number, the first in the table is the general one.
      if (!byNumbers.has(key(version, numbers))) byNumbers.set(key(version, numbers), name);
    }
  }
  byName.set(name, versions);
}

/** The numbers of an error in a version, `undefined` when that version cannot say it. */
export function errorNumbers(name: ErrorName, version: OpenflowVersion): ErrorNumbers | undefined {
  return byName.get(name)?.get(version);
}

export function errorName(version: OpenflowVersion, numbers: ErrorNumbers): ErrorName | undefined {
  return byNumbers.get(key(version, numbers));
}

/** A message that breaks the protocol, or a request that is refused: becomes an OFPT_ERROR to the peer. */
export class ProtocolError extends OpenflowError {
  /** The error's name, as OFPBRC_BAD_LEN. */
  readonly errorName: ErrorName;
  /** What a peer is told instead that knows Oko's extension. */
  readonly extension: ExtensionError | undefined;

  constructor(errorName: ErrorName, message: string, extension?: ExtensionError) {
    super('OPENFLOW_PROTOCOL', `${errorName}: ${message}`);
    this.errorName = errorName;
    this.extension = extension;
  }

  /** Type and code in a version; an error that it cannot say becomes the nearest general one. */
  numbers(version: OpenflowVersion): ErrorNumbers {
    return (
      errorNumbers(this.errorName, version) ??
      errorNumbers('NXBRC_UNENCODABLE_ERROR', version) ?? { experimenter: 0, type: 1, code: 1 }
    );
  }
}

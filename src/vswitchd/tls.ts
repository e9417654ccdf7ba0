import { readFileSync, writeFileSync } from 'node:fs';
import type { TlsIdentity } from '../ofproto/index.ts';
import type { Row } from './config/index.ts';
import type { ModuleLog } from './log/index.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly privateKey: string;
  readonly certificate: string;
  readonly caCert: string;
  /** Take the CA certificate from the first peer while its file is not there. */
  readonly isBootstrapping: boolean;
}

/** A TLS identity in texts. */
export type PemIdentity = TlsIdentity & { readonly key: string; readonly cert: string; readonly ca?: string };

const CA_MODE = 0o644;

export function tlsFilesOf(row: Row<'SSL'>): TlsFiles {
  return {
    privateKey: row.private_key,
    certificate: row.certificate,
    caCert: row.ca_cert,
    isBootstrapping: row.bootstrap_ca_cert,
  };
}

/** What ssl: and pssl: connections show and ask for: that of the database, else that of the command line. */
export class TlsKeeper {
  readonly #fallback: TlsFiles | undefined;
  readonly #log: ModuleLog;
  #stamp = '';
  #identity: PemIdentity | undefined;

  constructor(fallback: TlsFiles | undefined, log: ModuleLog) {
    this.#fallback = fallback;
    this.#log = log;
  }

  get identity(): PemIdentity | undefined {
    return this.#identity;
  }

  /** Reads the files again. The identity stays the same object while nothing has changed. */
  refresh(row: Row<'SSL'> | undefined): PemIdentity | undefined {
    const files = row === undefined ? this.#fallback : tlsFilesOf(row);
    const read = files === undefined ? undefined : this.#read(files);
    const stamp = JSON.stringify(read ?? null);
    if (stamp === this.#stamp) return this.#identity;
    this.#stamp = stamp;
    this.#identity =
      read === undefined || files === undefined
        ? undefined
        : { ...read, ...(read.ca === undefined && files.isBootstrapping ? { learnCa: this.#learner(files) } : {}) };
    return this.#identity;
  }

  #read({ privateKey, certificate, caCert, isBootstrapping }: TlsFiles) {
    try {
      const ca = isBootstrapping ? readIfThere(caCert) : readFileSync(caCert, 'utf8');
      return {
        key: readFileSync(privateKey, 'utf8'),
        cert: readFileSync(certificate, 'utf8'),
        ...(ca === undefined ? {} : { ca }),
      };
    } catch (error) {
      this.#log.warn(`no TLS: ${(error as Error).message}`);
      return undefined;
    }
  }

  #learner({ caCert }: TlsFiles): (pem: string) => void {
    return (pem) => {
      try {
        writeFileSync(caCert, pem, { flag: 'wx', mode: CA_MODE });
        this.#log.warn(`${caCert}: took the CA certificate of the first controller`);
      } catch (error) {
        this.#log.warn(`cannot keep the CA certificate of the first controller: ${(error as Error).message}`);
      }
    };
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why no certificates can be made here, `undefined` when they can. */
export function opensslMissing(): string | undefined {
  return existsSync('/usr/bin/openssl') ? undefined : 'needs openssl';
}

/** Files of somebody who takes part: private key, certificate, and the authority that has signed it. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** An authority of one's own, in a folder, that gives out certificates. */
export class Authority {
  readonly cert: string;
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.cert = join(folder, `${name}-cert.pem`);
    const files = `-keyout ${this.#key} -out ${this.cert}`;
    openssl(`req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} ${files}`);
  }

  get #key(): string {
    return join(this.#folder, `${this.#name}-key.pem`);
  }

  issue(name: string): Identity {
    const [key, request, cert] = ['key', 'request', 'cert'].map((what) => join(this.#folder, `${name}-${what}.pem`));
    openssl(`req -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${key} -out ${request}`);
    openssl(`x509 -req -days 2 -in ${request} -CA ${this.cert} -CAkey ${this.#key} -CAcreateserial -out ${cert}`);
    return { key, cert, ca: this.cert };
  }
}

export function readIdentity({ key, cert, ca }: Identity): { key: string; cert: string; ca: string } {
  const read = (path: string): string => readFileSync(path, 'utf8');
  return { key: read(key), cert: read(cert), ca: read(ca) };
}

function openssl(line: string): void {
  const { status, stderr } = spawnSync('openssl', line.split(' '), { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`openssl ${line}: ${stderr}`);
}

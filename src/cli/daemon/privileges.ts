import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { CliError } from '../errors.ts';

const PR_SET_KEEPCAPS = 8;

/** _LINUX_CAPABILITY_VERSION_3: a header, and then twice effective, permitted and inheritable bits (capset(2)). */
const CAPABILITY_VERSION = 0x20080522;
/** What ports need: CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_BPF. */
const KEPT = [10, 12, 13, 14, 39];

function libc() {
  const library = koffi.load('libc.so.6');
  return {
    prctl: library.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
    capset: library.func('int capset(void *header, void *data)'),
  };
}

/**
 * Becomes another user, `USER[:GROUP]`, but keeps the capabilities that network devices need. To be called before
 * there are other threads, which would keep theirs.
 *
 * @throws CliError CLI_BAD_ARGUMENT
 */
export function becomeUser(text: string): void {
  const [, user, group] = /^([^:]+)(?::(.+))?$/.exec(text) ?? [];
  if (user === undefined) throw new CliError('CLI_BAD_ARGUMENT', `--user=${text}: expected USER[:GROUP]`);
  const { prctl, capset } = libc();
  const header = new Uint32Array([CAPABILITY_VERSION, 0]);
  const data = new Uint32Array(6);
  for (const capability of KEPT) {
    const word = 3 * (capability >> 5);
    data[word] |= 1 << (capability & 31);
    data[word + 1] = data[word];
  }
  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  try {
    (process as { initgroups?(user: string, group: string | number): void }).initgroups?.(
      user,
      group ?? primaryGroup(user),
    );
    process.setgid?.(group ?? primaryGroup(user));
    process.setuid?.(user);
  } catch (cause) {
    throw new CliError('CLI_BAD_ARGUMENT', `--user=${text}: ${(cause as Error).message}`, { cause });
  }
  if (capset(header, data) !== 0)
    throw new CliError('CLI_BAD_ARGUMENT', `--user=${text}: the capabilities for network devices cannot be kept`);
}

/** The group number of a user in passwd(5). */
function primaryGroup(user: string): number {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user);
  if (fields === undefined) throw new Error(`there is no user ${user}`);
  return Number(fields[3]);
}

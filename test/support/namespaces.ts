import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { toHex } from '../../src/bytes/index.ts';

const PYTHON = '/usr/bin/python3';

/** Why network namespaces cannot be used here, `undefined` when they can. */
export function namespacesMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  for (const [file, name] of [
    ['/usr/sbin/ip', 'iproute2'],
    ['/usr/bin/ping', 'iputils-ping'],
    [PYTHON, 'python3'],
  ])
    if (!existsSync(file)) return `needs ${name}`;
  const probe = `oko-probe-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'needs permission to add network namespaces';
  spawnSync('ip', ['netns', 'delete', probe]);
  return undefined;
}

// SIOCETHTOOL with ETHTOOL_STXCSUM 0: what the kernel sends then carries finished checksums.
const CHECKSUMS_OFF = `
import array, fcntl, socket, struct, sys
value = array.array('B', struct.pack('II', 0x17, 0))
request = struct.pack('16sP', sys.argv[1].encode(), value.buffer_info()[0])
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)
`;

/** Has a device finish its checksums and segments itself, for a peer that cannot. */
export function finishPacketsOf(namespace: string, device: string): void {
  const { status, stderr } = spawnSync('ip', ['netns', 'exec', namespace, PYTHON, '-c', CHECKSUMS_OFF, device]);
  if (status !== 0) throw new Error(`cannot switch off offloads of ${device}: ${stderr}`);
}

const SEND_FRAMES = `
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(('wire', 0))
for frame in sys.argv[1:]:
    raw.send(bytes.fromhex(frame))
`;

/** Two hosts on one wire: network namespaces `left` and `right`, each with one end, `wire`, of a veth pair. */
export class NamespacePair {
  readonly left: string;
  readonly right: string;
  #isOpen = true;

  /** Addresses end in 1 on the left and in 2 on the right: 02:00:00:00:00:0x, 10.9.0.x/24, fd09::x/64. */
  constructor(name: string) {
    this.left = `oko-${name}-${process.pid}-l`;
    this.right = `oko-${name}-${process.pid}-r`;
    try {
      for (const namespace of [this.left, this.right]) run('ip', ['netns', 'add', namespace]);
      run('ip', [
        'link',
        'add',
        'wire',
        'netns',
        this.left,
        'type',
        'veth',
        'peer',
        'name',
        'wire',
        'netns',
        this.right,
      ]);
      this.#configure(this.left, '02:00:00:00:00:01', 1);
      this.#configure(this.right, '02:00:00:00:00:02', 2);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #configure(namespace: string, mac: string, host: number): void {
    const ip = (line: string) => this.run(namespace, 'ip', line.split(' '));
    ip('link set lo up');
    ip(`link set wire address ${mac}`);
    this.run(namespace, PYTHON, ['-c', CHECKSUMS_OFF, 'wire']);
    ip('link set wire up');
    ip(`address add 10.9.0.${host}/24 dev wire`);
    ip(`address add fd09::${host}/64 dev wire nodad`);
  }

  /** Runs a command in a namespace to its end; throws with its messages when it fails. */
  run(namespace: string, command: string, args: readonly string[]): string {
    return run('ip', ['netns', 'exec', namespace, command, ...args]);
  }

  python(namespace: string, script: string, args: readonly string[] = []): string {
    return this.run(namespace, PYTHON, ['-c', script, ...args]);
  }

  /** Puts frames on the wire as they are; for what the kernel does not make itself, such as VLAN tags. */
  sendFrames(namespace: string, frames: readonly Uint8Array[]): void {
    this.python(
      namespace,
      SEND_FRAMES,
      frames.map((frame) => toHex(frame)),
    );
  }

  /** Starts a command in a namespace and waits until it has printed `ready`, on either output. */
  async start(namespace: string, command: string, args: readonly string[], ready: RegExp): Promise<ChildProcess> {
    const child = spawn('ip', ['netns', 'exec', namespace, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const look = (chunk: Buffer) => {
        text += chunk.toString();
        if (ready.test(text)) resolve();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${text}`)));
    });
    return child;
  }

  startPython(namespace: string, script: string, ready: RegExp): Promise<ChildProcess> {
    return this.start(namespace, PYTHON, ['-u', '-c', script], ready);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const namespace of [this.left, this.right]) spawnSync('ip', ['netns', 'delete', namespace]);
  }
}

/** Asks a child to stop and waits until it has. */
export function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

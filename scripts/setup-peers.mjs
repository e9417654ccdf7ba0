#!/usr/bin/env node
// Installs the Debian packages that the tests use as peers, when root and apt are there; says what is missing otherwise.
// The suite runs without them: each test that needs a peer names it when it cannot run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian package -> a file that it brings. */
const PEERS = {
  'clang-14': '/usr/bin/clang-14',
  'clang-19': '/usr/bin/clang-19',
  'llvm-14': '/usr/bin/llvm-objdump-14',
  'llvm-19': '/usr/bin/llvm-objdump-19',
  gcc: '/usr/bin/gcc',
  tcpdump: '/usr/bin/tcpdump',
  iproute2: '/usr/sbin/ip',
  'iputils-ping': '/usr/bin/ping',
  'openvswitch-switch': '/usr/bin/ovs-vsctl',
  'openvswitch-testcontroller': '/usr/bin/ovs-testcontroller',
  mininet: '/usr/bin/mnexec',
  chromium: '/usr/bin/chromium',
  'python3-os-ken': '/usr/lib/python3/dist-packages/os_ken/__init__.py',
};

const missing = () =>
  Object.keys(PEERS).filter((name) => !existsSync(PEERS[name]) && !existsSync(`/bin/${PEERS[name].split('/').pop()}`));

let absent = missing();
if (absent.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  console.log(`peers: installing ${absent.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 }).status === 0;
  apt('update', '-q');
  // One at a time when the whole does not install, so that one missing package costs only itself.
  if (!apt('install', '-y', '-q', '--no-install-recommends', ...absent)) {
    for (const name of absent) apt('install', '-y', '-q', '--no-install-recommends', name);
  }
  absent = missing();
}
console.log(
  absent.length === 0
    ? 'peers: all present'
    : `peers: not present: ${absent.join(' ')} (tests that need them are skipped by name)`,
);

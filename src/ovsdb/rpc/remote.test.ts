import { describe, expect, it } from 'vitest';
import { parseRemote } from './remote.ts';

describe('parseRemote', () => {
  it.each([
    ['unix:/a/b', { kind: 'unix', path: '/a/b' }],
    ['punix:b', { kind: 'punix', path: '/run/b' }],
    ['tcp:10.0.0.1', { kind: 'tcp', host: '10.0.0.1', port: 6640 }],
    ['tcp:10.0.0.1:66', { kind: 'tcp', host: '10.0.0.1', port: 66 }],
    ['ssl:[::1]:66', { kind: 'ssl', host: '::1', port: 66 }],
    ['ssl:[fe80::1]', { kind: 'ssl', host: 'fe80::1', port: 6640 }],
    ['tcp:::1', { kind: 'tcp', host: '::1', port: 6640 }],
    ['ptcp:', { kind: 'ptcp', host: undefined, port: 6640 }],
    ['ptcp:0', { kind: 'ptcp', host: undefined, port: 0 }],
    ['pssl:66:[::1]', { kind: 'pssl', host: '::1', port: 66 }],
    ['ptcp:66:127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 66 }],
  ])('takes %s apart', (text, remote) => {
    expect(parseRemote(text, '/run')).toEqual(remote);
  });

  it.each([
    '',
    'tcp',
    'udp:1.2.3.4',
    'tcp:',
    'tcp:host:0',
    'tcp:host:70000',
    'tcp:a:b:c',
    'unix:',
    'ptcp:x',
    'ptcp:70000',
  ])('refuses %j', (text) => {
    expect(() => parseRemote(text)).toThrow(expect.objectContaining({ code: 'OVSDB_REMOTE' }));
  });
});

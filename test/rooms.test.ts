import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms in the order of docs/architecture.md: each may import those before it. */
const ROOMS = ['bytes', 'packet', 'wasm', 'bpf', 'openflow', 'ovsdb', 'datapath', 'ofproto', 'vswitchd', 'web', 'cli'];

/** Libraries of their own: what they may import beside themselves. */
const LIBRARIES: Record<string, readonly string[]> = {
  packet: ['bytes'],
  wasm: ['bytes'],
  bpf: ['bytes', 'wasm'],
  openflow: ['bytes', 'packet'],
  ovsdb: ['bytes'],
};

/** What stands beside a room's index because it needs Node, and the rest of the room does not. */
const NODE_DOORS = ['packet/capture-file.ts'];

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

/** Imports from one room into another; tests beside the code may look wherever they like. */
function importsBetweenRooms(): Import[] {
  const imports: Import[] = [];
  for (const file of sourceFiles().filter((name) => !name.endsWith('.test.ts'))) {
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, target] of text.matchAll(/\bfrom '(\.[^']+)'/g)) {
      const path = relative(src, resolve(src, dirname(file), target));
      const room = file.split('/')[0];
      if (path.split('/')[0] !== room) imports.push({ file, room, target: path });
    }
  }
  return imports;
}

describe('the rooms', () => {
  it('are those of the list', () => {
    const rooms = new Set(sourceFiles().map((file) => file.split('/')[0]));
    expect([...rooms].filter((room) => !ROOMS.includes(room))).toEqual([]);
  });

  it('import only rooms above them', () => {
    const imports = importsBetweenRooms();
    expect(imports.length).toBeGreaterThan(0);
    const wrong = imports.filter(({ room, target }) => {
      const other = target.split('/')[0];
      return LIBRARIES[room] ? !LIBRARIES[room].includes(other) : ROOMS.indexOf(other) >= ROOMS.indexOf(room);
    });
    expect(wrong).toEqual([]);
  });

  it('see of each other only the index', () => {
    const isDoor = (target: string) => target.endsWith('/index.ts') || NODE_DOORS.includes(target);
    expect(importsBetweenRooms().filter(({ room, target }) => room !== 'cli' && !isDoor(target))).toEqual([]);
  });
});

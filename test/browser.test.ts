import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from './support/oko.ts';

const CHROMIUM = '/usr/bin/chromium';
const PAGE_MS = 60_000;

/** A page that uses the library as `oko/bpf` offers it: a filter made by clang, verified, on both engines, with a map. */
const PAGE = `<!doctype html><meta charset="utf-8"><pre id="result">nothing yet</pre><script type="module">
import { createWorld, Interpreter, loadObject, PacketRunner, verify, WasmCompiler } from '/dist/bpf/index.js';
const result = document.getElementById('result');
try {
  const object = new Uint8Array(await (await fetch('/examples/rate-limiter.o')).arrayBuffer());
  const program = loadObject(object).select();
  const lines = ['accepted ' + verify(program).accepted];
  for (const engine of [new WasmCompiler(), new Interpreter()]) {
    const world = createWorld(program);
    const loaded = engine.load(program, world);
    const packet = new Uint8Array(64);
    packet.set([0x08, 0x00, 0x45], 12);
    packet.set([17], 23);
    packet.set([10, 0, 0, 1], 26);
    world.thread.timeNs = 1_000_000_000n;
    const runner = new PacketRunner(world);
    let passed = 0;
    for (let n = 0; n < 250; n++) if (runner.run(loaded, packet) === 1n) passed++;
    lines.push(engine.name + ' passed ' + passed + ' of 250, ' + world.maps[1].count + ' source');
  }
  result.textContent = lines.join('; ');
} catch (error) {
  result.textContent = 'failed: ' + error.stack;
}
</script>`;

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.o': 'application/octet-stream' };

describe.skipIf(!existsSync(CHROMIUM))('oko/bpf in a browser page (needs chromium)', () => {
  let server: Server;
  let profile: string;
  beforeAll(async () => {
    profile = mkdtempSync(join(tmpdir(), 'oko-browser-'));
    server = createServer((request, response) => {
      const path = normalize(request.url ?? '/');
      if (path === '/') {
        response.setHeader('content-type', 'text/html').end(PAGE);
        return;
      }
      const file = join(REPOSITORY, path);
      if (!/^\/(dist|examples)\//.test(path) || !existsSync(file)) response.writeHead(404).end();
      else response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain').end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.close();
    rmSync(profile, { recursive: true, force: true });
  });

  it(
    'loads, verifies and runs a filter with maps on both engines',
    async () => {
      const { port } = server.address() as AddressInfo;
      const flags = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-sync',
      ];
      flags.push('--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`);
      flags.push('--virtual-time-budget=20000', '--dump-dom', `http://127.0.0.1:${port}/`);
      const dom = await output(CHROMIUM, flags);
      expect(/<pre id="result">(.*?)<\/pre>/s.exec(dom)?.[1]).toBe(
        'accepted true; wasm passed 100 of 250, 1 source; interpreter passed 100 of 250, 1 source',
      );
    },
    2 * PAGE_MS,
  );
});

/** Standard output of a program; the server that it talks to runs meanwhile. */
function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: PAGE_MS });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.once('error', reject);
    child.once('exit', () => resolve(text));
  });
}

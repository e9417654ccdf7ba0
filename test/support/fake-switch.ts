import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageStream,
  OFPP,
  readHeader,
} from '../../src/openflow/index.ts';
import type { OpenflowVersion } from '../../src/packet/index.ts';

/** What a client of ovs-ofctl's sent beside the usual questions, and how it ended. */
export interface ClientRun {
  readonly sent: readonly Uint8Array[];
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const TABLES = 254;
/** The properties that table features must have, each empty. */
const FEATURE_PROPERTIES = [0, 2, 4, 6, 8, 10, 12, 14];

/** Just enough of a switch's answers for ovs-ofctl to go on; `undefined` leaves a message unanswered. */
function answer(message: Message, version: OpenflowVersion): Message | undefined {
  const { xid } = message;
  switch (message.type) {
    case 'features_request':
      return {
        type: 'features_reply',
        xid,
        datapathId: 1n,
        buffers: 0,
        tables: TABLES,
        auxiliaryId: 0,
        capabilities: 0,
        actions: 0,
        ports: [],
      };
    case 'get_config_request':
      return { type: 'get_config_reply', xid, flags: 0, missSendLen: 0 };
    case 'echo_request':
      return { type: 'echo_reply', xid, data: message.data };
    case 'barrier_request':
      return { type: 'barrier_reply', xid };
    case 'bundle_control': {
      const control = message.control.replace('request', 'reply') as typeof message.control;
      return { ...message, control };
    }
    case 'multipart_request': {
      const { kind } = message.body;
      const reply = (body: Extract<Message, { type: 'multipart_reply' }>['body']): Message => ({
        type: 'multipart_reply',
        xid,
        flags: 0,
        body,
      });
      if (kind === 'port_desc') return reply({ kind, ports: [] });
      if (kind === 'table')
        return reply({
          kind,
          tables: Array.from({ length: TABLES }, (_, table) => ({
            table,
            name: `table${table}`,
            wildcards: 0x3fffff,
            maxEntries: 1000,
            active: 0,
            lookups: 0n,
            matched: 0n,
          })),
        });
      if (kind === 'table_features')
        return reply({
          kind,
          tables: Array.from({ length: TABLES }, (_, table) => ({
            table,
            name: `table${table}`,
            metadataMatch: 0n,
            metadataWrite: 0n,
            config: 0,
            maxEntries: 1000,
            ...(version >= 6 ? { command: 0, features: 0 } : {}),
            properties: FEATURE_PROPERTIES.map((type) => ({ type, content: new Uint8Array(0) })),
          })),
        });
      if (kind === 'flow') return reply({ kind, nxm: message.body.nxm, flows: [] });
      if (kind === 'aggregate')
        return reply({ kind, nxm: message.body.nxm, packetCount: 0n, byteCount: 0n, flowCount: 0 });
      if (kind === 'port') return reply({ kind, ports: [] });
      if (kind === 'queue') return reply({ kind, queues: [] });
      return undefined;
    }
    default:
      return undefined;
  }
}

/**
 * Runs `ovs-ofctl ARGS` against a switch that answers questions and keeps what else it is sent. `SWITCH` in the arguments
 * stands for its address, `FILE` for a file with `lines`.
 */
export async function runOvsOfctl(
  args: readonly string[],
  version: OpenflowVersion,
  lines: readonly string[] = [],
): Promise<ClientRun> {
  const folder = mkdtempSync(join(tmpdir(), 'oko-ofctl-'));
  const socketPath = join(folder, 'switch.sock');
  const file = join(folder, 'lines.txt');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const sent: Uint8Array[] = [];
  const server = createServer((socket) => {
    const stream = new MessageStream();
    const send = (message: Message): void => {
      for (const bytes of encodeMessage(message, { version })) socket.write(bytes);
    };
    send({ type: 'hello', xid: 1, versions: version === 1 ? [1] : [version] });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const bytes of stream.push(chunk)) {
        if (readHeader(bytes).type === 0) continue;
        let message: Message | undefined;
        try {
          message = decodeMessage(bytes, { version });
        } catch {
          // Kept for the test to look at.
        }
        const reply = message && answer(message, version);
        if (reply) send(reply);
        if (!reply || message?.type === 'bundle_control' || isAsked(message)) sent.push(bytes.slice());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const names: Readonly<Record<string, string>> = { SWITCH: `unix:${socketPath}`, FILE: file };
  const child = spawn(
    'ovs-ofctl',
    args.map((arg) => names[arg] ?? arg),
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(folder, { recursive: true });
  return { sent, stdout, stderr, status };
}

/** Requests that tests look at although they are answered. */
function isAsked(message: Message | undefined): boolean {
  if (message?.type !== 'multipart_request') return false;
  return ['flow', 'aggregate', 'port', 'queue'].includes(message.body.kind);
}

export const ANY_PORT = OFPP.none;

import { BPF_ERRORS } from '../bpf/index.ts';
import type { ErrorEntry, ErrorTable } from '../bytes/index.ts';
import { DATAPATH_ERRORS } from '../datapath/index.ts';
import { OFPROTO_ERRORS } from '../ofproto/index.ts';
import { EXTENSION_ERRORS, OPENFLOW_ERRORS } from '../openflow/index.ts';
import { OVSDB_ERRORS } from '../ovsdb/index.ts';
import { PACKET_ERRORS } from '../packet/index.ts';
import { VSWITCHD_ERRORS } from '../vswitchd/errors.ts';
import { UNIXCTL_ERRORS } from '../vswitchd/unixctl/index.ts';
import { CLI_ERRORS } from './errors.ts';

/** Every error table, under the title that the catalogue gives it. */
const TABLES: readonly (readonly [string, ErrorTable])[] = [
  ['Packets and captures', PACKET_ERRORS],
  ['eBPF programs', BPF_ERRORS],
  ['OpenFlow', OPENFLOW_ERRORS],
  ['Programs and maps over OpenFlow', EXTENSION_ERRORS],
  ['Database', OVSDB_ERRORS],
  ['Datapath', DATAPATH_ERRORS],
  ['Bridges', OFPROTO_ERRORS],
  ['Commands of ovs-appctl', UNIXCTL_ERRORS],
  ['Daemon', VSWITCHD_ERRORS],
  ['Command line', CLI_ERRORS],
];

/** docs/errors.md, whole. */
export function errorCatalogue(): string {
  const lines = [
    '# Errors',
    '',
    'Every error that Oko reports on purpose ends in a code in brackets. Codes are stable: scripts may compare them. A code that starts with',
    "`SYSTEM_` is the operating system's own (`SYSTEM_ENOENT`: no such file).",
    '',
    'This page is written by `npm run docs:errors` from the tables in the source.',
  ];
  for (const [title, table] of TABLES) {
    lines.push('', `## ${title}`, '', '| code | what happened | what to do |', '| --- | --- | --- |');
    for (const code of Object.keys(table).sort()) {
      const { meaning, remedy } = table[code];
      lines.push(`| \`${code}\` | ${meaning.replaceAll('|', '\\|')} | ${remedy.replaceAll('|', '\\|')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Every code with what the catalogue says of it. */
export function errorEntries(): ReadonlyMap<string, ErrorEntry> {
  return new Map(TABLES.flatMap(([, table]) => Object.entries(table)));
}

import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';

const VERSION_NAMES: Readonly<Record<number, string>> = {
  [OPENFLOW_VERSIONS.of11]: 'OF1.1',
  [OPENFLOW_VERSIONS.of12]: 'OF1.2',
  [OPENFLOW_VERSIONS.of13]: 'OF1.3',
  [OPENFLOW_VERSIONS.of14]: 'OF1.4',
  [OPENFLOW_VERSIONS.of15]: 'OF1.5',
};

/** How the text of a message begins: `OFPST_PORT reply (OF1.3) (xid=0x2):`; OpenFlow 1.0 goes without its version. */
export function messageTitle(name: string, version: OpenflowVersion, xid: number): string {
  const versionName = VERSION_NAMES[version];
  return `${name}${versionName === undefined ? '' : ` (${versionName})`} (xid=0x${xid.toString(16)}):`;
}

/** Names of the bits that are set, `0` for none; bits without a name as one number. */
export function formatBits(bits: number, names: readonly (readonly [string, number])[]): string {
  const texts: string[] = [];
  let rest = bits;
  for (const [name, bit] of names) {
    if ((bits & bit) === 0) continue;
    texts.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) texts.push(`0x${(rest >>> 0).toString(16)}`);
  return texts.length === 0 ? '0' : texts.join(' ');
}

import type { Hello } from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';

/** The versions whose wire formats are complete, in order. */
export const SPOKEN_VERSIONS: readonly OpenflowVersion[] = [
  OPENFLOW_VERSIONS.of10,
  OPENFLOW_VERSIONS.of13,
  OPENFLOW_VERSIONS.of14,
  OPENFLOW_VERSIONS.of15,
];

/**
 * What our hello says: no list where the highest version says it all, since every version up to it from the first on is
 * meant by it (OpenFlow 1.3.5 section 6.3.1).
 */
export function helloVersions(ours: readonly OpenflowVersion[]): readonly OpenflowVersion[] | undefined {
  const highest = Math.max(...ours);
  return ours.length === highest ? undefined : ours;
}

/**
 * The highest version that both sides have (OpenFlow 1.3.5 section 6.3.1): by the bitmaps where the peer sent one, otherwise
 * every version up to its header's is taken as understood, as Open vSwitch does. `undefined`: none.
 */
export function negotiate(
  ours: readonly OpenflowVersion[],
  hello: Hello,
  headerVersion: number,
): OpenflowVersion | undefined {
  const isTheirs = (version: number): boolean =>
    hello.versions === undefined ? version <= headerVersion : hello.versions.includes(version);
  return ours.filter(isTheirs).sort((a, b) => b - a)[0];
}

/** The text of the error that ends a negotiation without a common version. */
export function noCommonVersion(ours: readonly OpenflowVersion[], hello: Hello, headerVersion: number): string {
  const theirs = hello.versions === undefined ? `0x${hex(headerVersion)} or earlier` : list(hello.versions);
  return `no common OpenFlow version: this switch has ${list(ours)}, the peer has ${theirs}`;
}

function list(versions: readonly number[]): string {
  return versions.length === 0 ? 'none' : versions.map((version) => `0x${hex(version)}`).join(', ');
}

function hex(version: number): string {
  return version.toString(16).padStart(2, '0');
}

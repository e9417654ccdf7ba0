import type { AsyncConfig, AsyncMask } from '../../openflow/index.ts';
import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';

/** Which announcements a controller gets: bits of reasons, for an equal or primary and for a secondary one. */
export type AsyncMasks = Omit<AsyncConfig, 'type'>;
export type AsyncKind = 'packetIn' | 'portStatus' | 'flowRemoved';

const ALL_PORT_REASONS = 0b111;

/**
 * What a controller gets that has not asked for anything else, as Open vSwitch sets it: packets and removed flows only an
 * equal or primary one, changes of ports every one.
 */
export function defaultAsyncMasks(version: OpenflowVersion): AsyncMasks {
  const isNew = version >= OPENFLOW_VERSIONS.of14;
  const masks = {
    // Reasons: no match, action, and from 1.4 on action set, group, packet-out.
    packetIn: { primary: isNew ? 0b111011 : 0b000011, secondary: 0 },
    portStatus: { primary: ALL_PORT_REASONS, secondary: ALL_PORT_REASONS },
    // Reasons: idle, hard, delete, group delete, and from 1.4 on meter delete, eviction.
    flowRemoved: { primary: isNew ? 0b111111 : 0b001111, secondary: 0 },
  };
  return isNew ? { ...masks, roleStatus: NONE, tableStatus: NONE, requestForward: NONE } : masks;
}

/** What a controller gets that is to be told nothing until it asks. */
export function silentAsyncMasks(version: OpenflowVersion): AsyncMasks {
  return { ...defaultAsyncMasks(version), packetIn: NONE, portStatus: NONE, flowRemoved: NONE };
}

const NONE: AsyncMask = { primary: 0, secondary: 0 };

/** The masks with those replaced that a request names. */
export function mergeAsyncMasks(current: AsyncMasks, request: AsyncConfig): AsyncMasks {
  const { type: _type, ...masks } = request;
  return { ...current, ...masks };
}

export function isWanted(masks: AsyncMasks, kind: AsyncKind, reason: number, isSecondary: boolean): boolean {
  const mask = masks[kind];
  return (((isSecondary ? mask.secondary : mask.primary) >>> reason) & 1) !== 0;
}

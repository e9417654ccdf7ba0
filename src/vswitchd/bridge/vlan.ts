import type { PortVlan } from '../../ofproto/index.ts';
import type { Row } from '../config/index.ts';

/** How a port takes part in VLANs (ovs-vswitchd.conf.db(5), Port: VLAN Configuration). */
export function portVlan(row: Row<'Port'>): PortVlan {
  const tag = row.tag ?? 0;
  const trunks = row.trunks.length > 0 ? { trunks: new Set(row.trunks) } : {};
  const priorityTags = priorityTagsOf(row);
  switch (row.vlan_mode ?? (row.tag === null ? 'trunk' : 'access')) {
    case 'access':
      return { mode: 'access', tag, priorityTags };
    case 'native-tagged':
      return { mode: 'native-tagged', tag, ...trunks, priorityTags };
    case 'native-untagged':
      return { mode: 'native-untagged', tag, ...trunks, priorityTags };
    default:
      return { mode: 'trunk', tag: 0, ...trunks, priorityTags };
  }
}

function priorityTagsOf(row: Row<'Port'>): PortVlan['priorityTags'] {
  switch (row.other_config.get('priority-tags')) {
    case 'true':
    case 'if-nonzero':
      return 'if-nonzero';
    case 'always':
      return 'always';
    default:
      return 'never';
  }
}

export function isSameVlan(a: PortVlan, b: PortVlan): boolean {
  return (
    a.mode === b.mode &&
    a.tag === b.tag &&
    a.priorityTags === b.priorityTags &&
    a.trunks?.size === b.trunks?.size &&
    [...(a.trunks ?? [])].every((vlan) => b.trunks?.has(vlan))
  );
}

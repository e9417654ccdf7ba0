import { actionsWithin, type FlowMod } from '../../openflow/index.ts';
import { field } from '../../packet/index.ts';
import type { Bridge } from '../bridge.ts';

const FILTER_PROG = field('filter_prog');

/**
 * Refuses flows that name filter programs or maps which are not loaded: they would never match, and nobody would notice.
 *
 * @throws ExtensionError OKO_NO_SUCH_PROGRAM, OKO_NO_SUCH_MAP
 */
export function checkProgramsNamed({ programs }: Bridge, { command, match, actions }: FlowMod): void {
  if (command === 'delete' || command === 'delete_strict') return;
  const program = match.number(FILTER_PROG);
  if (program !== undefined) programs.get(program);
  for (const action of actionsWithin(actions)) {
    if (action.type !== 'send_maps') continue;
    programs.get(action.program);
    for (const map of action.maps) programs.map(action.program, map);
  }
}

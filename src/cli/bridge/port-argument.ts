import { OFPP } from '../../openflow/index.ts';
import { CliError } from '../errors.ts';

export const DEVICE_TYPES = ['system', 'tap', 'null'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

/** An argument `N=DEV[:TYPE]`. */
export interface PortArgument {
  readonly number: number;
  readonly device: string;
  readonly type: DeviceType;
}

/** A commander option parser that collects them. */
export function portArguments(text: string, previous: readonly PortArgument[] | undefined): PortArgument[] {
  const [, number, device, type = 'system'] = /^(\d{1,5}|LOCAL)=([^:/\s]{1,15})(?::(\w+))?$/.exec(text) ?? [];
  const known = DEVICE_TYPES.find((name) => name === type);
  if (device === undefined || known === undefined)
    throw new CliError(
      'CLI_BAD_ARGUMENT',
      `--port ${text}: expected NUMBER=DEVICE[:TYPE], TYPE one of ${DEVICE_TYPES.join(', ')}`,
    );
  return [...(previous ?? []), { number: number === 'LOCAL' ? OFPP.local : Number(number), device, type: known }];
}

/** Where Open vSwitch's daemons and clients expect each other's sockets. */
export const DEFAULT_RUN_DIRECTORY = '/var/run/openvswitch';

/** The folder of the sockets: `OVS_RUNDIR`, or Open vSwitch's. */
export function runDirectory(): string {
  return process.env.OVS_RUNDIR || DEFAULT_RUN_DIRECTORY;
}

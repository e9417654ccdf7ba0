// What ovs-appctl talks to. A daemon makes a `Pidfile`, implements `SwitchView`, and opens a `UnixctlServer` on
// RUNDIR/NAME.PID.ctl with the commands of `unixctlCommands`.

export { ANY_NUMBER, type Command, command } from './command.ts';
export { CommandRegistry } from './command-registry.ts';
export { unixctlCommands } from './commands.ts';
export { refusal, UNIXCTL_ERRORS, UnixctlError } from './errors.ts';
export { LOG_DESTINATIONS, LOG_LEVELS, type LogDestination, type LogLevel, LogLevels } from './log-levels.ts';
export { Pidfile, readPidfile } from './pidfile.ts';
export { UnixctlServer } from './server.ts';
export type { BridgeView, DummyControl, PortView, SwitchView } from './switch-view.ts';
export { WarpClock } from './warp-clock.ts';

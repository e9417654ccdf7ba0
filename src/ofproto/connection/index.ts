export { Connection, type ConnectionOptions } from './connection.ts';
export { Controllers, type ControllersOptions, type TargetOptions } from './controllers.ts';
export type { FailMode } from './fail-mode.ts';
export { SPOKEN_VERSIONS } from './negotiation.ts';
export type { ControllerRole } from './roles.ts';
export type { Session, SessionKind } from './session.ts';
export type { SwitchControl, SwitchDescription } from './switch-control.ts';
export { type ActiveTarget, isPassive, OPENFLOW_PORT, type PassiveTarget, parseTarget, type Target } from './target.ts';

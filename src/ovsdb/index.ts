export { OVSDB_ERRORS, OvsdbError, type OvsdbErrorCode } from './errors.ts';

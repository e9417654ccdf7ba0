import { CliError } from '../errors.ts';

/** What ends ovs-vsctl with a line on standard error and status 1. Scripts compare its words, so they are the original's. */
export class VsctlError extends CliError {
  constructor(message: string) {
    super('CLI_VSCTL', message);
  }
}

import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../../packet/index.ts';
import { CliError } from '../errors.ts';

const NAMES: Readonly<Record<string, OpenflowVersion>> = {
  openflow10: OPENFLOW_VERSIONS.of10,
  openflow13: OPENFLOW_VERSIONS.of13,
  openflow14: OPENFLOW_VERSIONS.of14,
  openflow15: OPENFLOW_VERSIONS.of15,
};

/** The versions of an `-O` option, such as `OpenFlow10,OpenFlow13`. */
export function parseVersions(text: string): OpenflowVersion[] {
  return text.split(',').map((name) => {
    const version = NAMES[name.trim().toLowerCase()];
    if (version === undefined) {
      throw new CliError('CLI_BAD_ARGUMENT', `-O ${name}: expected OpenFlow10, OpenFlow13, OpenFlow14 or OpenFlow15`);
    }
    return version;
  });
}

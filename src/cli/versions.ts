import { OPENFLOW_VERSIONS, type OpenflowVersion } from '../packet/index.ts';
import { CliError } from './errors.ts';

const VERSIONS: Readonly<Record<string, OpenflowVersion>> = {
  OpenFlow10: OPENFLOW_VERSIONS.of10,
  OpenFlow13: OPENFLOW_VERSIONS.of13,
  OpenFlow14: OPENFLOW_VERSIONS.of14,
  OpenFlow15: OPENFLOW_VERSIONS.of15,
};

/** A parser of an option's list of OpenFlow versions, such as `OpenFlow10,OpenFlow13`. */
export function versionList(option: string): (text: string) => OpenflowVersion[] {
  return (text) =>
    text.split(/[\s,]+/).map((word) => {
      const name = Object.keys(VERSIONS).find((known) => known.toLowerCase() === word.toLowerCase());
      if (name === undefined) {
        throw new CliError(
          'CLI_BAD_ARGUMENT',
          `${option} ${text}: ${word} is not one of ${Object.keys(VERSIONS).join(', ')}`,
        );
      }
      return VERSIONS[name];
    });
}

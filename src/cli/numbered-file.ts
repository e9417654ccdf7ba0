import { CliError } from './errors.ts';

/** An argument `NUMBER=FILE`, as in `--in 1=in.pcap`. */
export interface NumberedFile {
  readonly number: number;
  readonly file: string;
}

/** A commander option parser that collects `NUMBER=FILE` arguments. */
export function numberedFiles(
  option: string,
): (value: string, previous: readonly NumberedFile[] | undefined) => NumberedFile[] {
  return (value, previous = []) => {
    const match = /^(\d{1,9})=(.+)$/.exec(value);
    if (match === null)
      throw new CliError('CLI_BAD_ARGUMENT', `${option} ${value}: expected NUMBER=FILE, as in ${option} 1=FILE`);
    const number = Number(match[1]);
    if (previous.some((other) => other.number === number)) {
      throw new CliError('CLI_BAD_ARGUMENT', `${option} ${value}: ${number} was given before`);
    }
    return [...previous, { number, file: match[2] }];
  };
}

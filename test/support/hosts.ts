import { spawnSync } from 'node:child_process';

/** Hosts in network namespaces of their own, each on the far end of a veth pair whose near end is here. */
export class Hosts {
  readonly #tag = `k${process.pid.toString(36)}`;
  readonly #names: string[] = [];

  /** The near end of a host's link. */
  port(name: string): string {
    return `${this.#tag}${name}`;
  }

  #namespace(name: string): string {
    return `oko-${this.#tag}-${name}`;
  }

  /** A host with an address, on the device `port(name)`. */
  add(name: string, address: string): void {
    const namespace = this.#namespace(name);
    ip('netns', 'add', namespace);
    this.#names.push(name);
    this.plug(name, address);
  }

  /** Connects a host (`a.b.c.host/bits`) whose link has been pulled, or was never there. */
  plug(name: string, address: string): void {
    const namespace = this.#namespace(name);
    ip('link', 'add', this.port(name), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', this.port(name), 'up');
    // The same hardware address each time, so that nobody's ARP cache is wrong afterwards.
    const host = Number(address.split(/[./]/)[3]);
    ip('-n', namespace, 'link', 'set', 'eth0', 'address', `02:00:00:00:00:${host.toString(16).padStart(2, '0')}`);
    ip('-n', namespace, 'address', 'add', address, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }

  /** Both ends of a host's link are gone. */
  pull(name: string): void {
    ip('link', 'delete', this.port(name));
  }

  /** A command line as seen from a host. */
  command(name: string, ...words: readonly string[]): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#namespace(name), ...words];
  }

  remove(): void {
    for (const name of this.#names) {
      spawnSync('ip', ['link', 'delete', this.port(name)]);
      spawnSync('ip', ['netns', 'delete', this.#namespace(name)]);
    }
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

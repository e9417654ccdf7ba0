import { type DeviceWaiter, LinkMonitor } from '../../datapath/ports/index.ts';

/** Tells when network devices come, change or go, in the namespace of the process. */
export class LinkWatch {
  readonly #monitor = new LinkMonitor();
  readonly #waiter: DeviceWaiter;
  readonly #onChange: (names: ReadonlySet<string> | 'any') => void;

  /** `onChange` gets the names of devices of which something was told, or `any` when some of it was lost. */
  constructor(waiter: DeviceWaiter, onChange: (names: ReadonlySet<string> | 'any') => void) {
    this.#waiter = waiter;
    this.#onChange = onChange;
    waiter.watch(this.#monitor.fd);
  }

  /** Looks whether something has come. */
  receive(): void {
    const names = new Set<string>();
    let isLost = false;
    this.#monitor.receive((event) => {
      if (event.kind === 'lost') isLost = true;
      else names.add(event.link.name);
    });
    if (isLost) this.#onChange('any');
    else if (names.size > 0) this.#onChange(names);
  }

  close(): void {
    this.#waiter.unwatch(this.#monitor.fd);
    this.#monitor.close();
  }
}

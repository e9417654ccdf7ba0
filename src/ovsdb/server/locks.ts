/** Who can hold a lock. */
export interface LockClient {
  locked(lock: string): void;
  stolen(lock: string): void;
}

/** The locks of a server (RFC 7047 section 4.1.8): for each a queue, whose head holds it. */
export class Locks<Client extends LockClient> {
  readonly #queues = new Map<string, Client[]>();

  isHeldBy(lock: string, client: Client): boolean {
    return this.#queues.get(lock)?.[0] === client;
  }

  isWantedBy(lock: string, client: Client): boolean {
    return this.#queues.get(lock)?.includes(client) === true;
  }

  /** Queues up; true when the lock is held at once. */
  lock(lock: string, client: Client): boolean {
    const queue = this.#queue(lock);
    queue.push(client);
    return queue.length === 1;
  }

  /** Takes the lock from its holder, who becomes the next in the queue. */
  steal(lock: string, client: Client): void {
    const queue = this.#queue(lock);
    const victim = queue.at(0);
    queue.unshift(client);
    victim?.stolen(lock);
  }

  /** Gives the lock up, or the place in its queue. False when there was neither. */
  unlock(lock: string, client: Client): boolean {
    const queue = this.#queues.get(lock) ?? [];
    const place = queue.indexOf(client);
    if (place < 0) return false;
    queue.splice(place, 1);
    if (queue.length === 0) this.#queues.delete(lock);
    else if (place === 0) queue[0].locked(lock);
    return true;
  }

  /** Gives up all locks and places of a client that is gone. */
  release(client: Client): void {
    for (const lock of [...this.#queues.keys()]) this.unlock(lock, client);
  }

  #queue(lock: string): Client[] {
    let queue = this.#queues.get(lock);
    if (!queue) {
      queue = [];
      this.#queues.set(lock, queue);
    }
    return queue;
  }
}

/** Where an operation can be made to wait. */
export type GateName =
  /** With the response of Redis, on the way back. */
  | 'lookup replied'
  /** With the row, on the way back. */
  | 'load returned'
  /** Before Redis is notified of a version. */
  | 'update sent'
  | 'update replied'
  /** Before Redis is asked to subscribe. */
  | 'subscribe sent';

/** Holds operations up at points that a test chooses: the next one that comes to a gate after it was shut, until all are opened. */
export class Gates {
  readonly #shut = new Set<GateName>();
  #held: { readonly at: GateName; readonly resolve: () => void }[] = [];
  #arrived = Promise.withResolvers<void>();

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  isHoldingAt(name: GateName): boolean {
    return this.countHeldAt(name) > 0;
  }

  countHeldAt(name: GateName): number {
    return this.#held.filter(({ at }) => at === name).length;
  }

  /** Settles when the next operation is held. */
  get arrival(): Promise<void> {
    return this.#arrived.promise;
  }

  shut(name: GateName): void {
    this.#shut.add(name);
  }

  /** Lets pass at a gate that held nothing up. */
  reopen(name: GateName): void {
    this.#shut.delete(name);
  }

  async pass(name: GateName): Promise<void> {
    if (!this.#shut.delete(name)) return;
    const held = Promise.withResolvers<void>();
    this.#held.push({ at: name, resolve: held.resolve });
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    await held.promise;
  }

  openAll(): void {
    this.#shut.clear();
    const held = this.#held;
    this.#held = [];
    for (const { resolve } of held) resolve();
  }
}

import type { Price } from '../data/prices.ts';

/** Parts of the system that are paid for. */
export const components = [
  'edge',
  'firewall',
  'load balancer',
  'network',
  'service',
  'database',
  'cache',
  'workers',
  'observability',
  'encryption',
] as const;
export type Component = (typeof components)[number];

/** One position of the bill for a month. */
export interface CostLine {
  readonly component: Component;
  readonly what: string;
  readonly quantity: number;
  /** What is counted, and what one of it costs. */
  readonly price: Price;
  readonly dollars: number;
}

/** A line of the bill: `quantity` of what `price` is for. */
export function costLine(
  component: Component,
  what: string,
  quantity: number,
  price: Price,
): CostLine {
  return { component, what, quantity, price, dollars: quantity * price.dollars };
}

/** `price` multiplied, for what costs a multiple or a share of it. */
export function scaledPrice(price: Price, factor: number, per = price.per): Price {
  return { ...price, dollars: price.dollars * factor, per };
}

/** Dollars of all `lines` together. */
export function totalOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

import type { StageSize } from '../../config/size.ts';
import { HOURS_PER_MONTH } from '../data/month.ts';
import { cacheNodePrices, type Price, VALKEY_PRICE_FACTOR } from '../data/prices.ts';
import { type CostLine, costLine } from './cost-line.ts';

/** Dollars an hour of a node; undefined for a type that the table does not have. */
export function cacheNodePrice(
  engine: StageSize['cache']['engine'],
  nodeType: string,
): Price | undefined {
  const dollars = cacheNodePrices[nodeType];
  if (dollars === undefined) return undefined;
  return {
    dollars: dollars * (engine === 'valkey' ? VALKEY_PRICE_FACTOR : 1),
    per: `hour of ${nodeType}`,
    source: 'https://aws.amazon.com/elasticache/pricing/',
  };
}

/** What the cache and the sessions cost a month. */
export function cacheCost(cache: StageSize['cache']): CostLine[] {
  const nodes = (what: string, nodeType: string, count: number): CostLine[] => {
    const price = cacheNodePrice(cache.engine, nodeType);
    return price === undefined ? [] : [costLine('cache', what, count * HOURS_PER_MONTH, price)];
  };
  const copies = 1 + cache.replicas;
  return [
    ...nodes('cache nodes', cache.nodeType, cache.shards * copies),
    ...nodes('session nodes', cache.sessionNodeType, copies),
  ];
}

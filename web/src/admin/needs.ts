// What of the server's state needs an operator, the worst first.
import type { Overview } from './types';

export type Need =
  | { what: 'down'; part: string }
  | { what: 'dead'; count: number }
  | { what: 'late'; seconds: number };

// A job that is due waits for a few seconds as a rule.
const late = 5 * 60;

export function needs({ checks, queue }: Pick<Overview, 'checks' | 'queue'>): Need[] {
  const list: Need[] = partsOf(checks).filter(({ ok }) => !ok).map(({ name }) => ({ what: 'down', part: name }));
  if (queue.dead > 0) list.push({ what: 'dead', count: queue.dead });
  if (queue.oldest_seconds > late) list.push({ what: 'late', seconds: queue.oldest_seconds });
  return list;
}

// partsOf lists the dependencies always in one order: without the first nothing works.
export function partsOf(checks: Overview['checks']): { name: string; ok: boolean }[] {
  const order = ['database', 'kv', 'blobs'];
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(checks).map(([name, answer]) => ({ name, ok: answer === 'ok' })).sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}

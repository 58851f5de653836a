// Which items and people a page shows, in which order.
import type { Incoming, Item, Outgoing, Person, State } from './drop';

export const me = (state: State): Person | undefined => state.people.find((p) => p.me);

export const others = (state: State): Person[] => state.people.filter((p) => !p.me);

export interface Coming {
  item: Item;
  incoming?: Incoming;
}

export const groups = ['failed', 'running', 'verified', 'open', 'saved'] as const;
export type Group = (typeof groups)[number];

export const stage = ({ incoming }: Coming): Group => {
  if (!incoming) return 'open';
  switch (incoming.state) {
    case 'broken': return incoming.why === 'cancelled' ? 'open' : 'failed';
    case 'verified': return 'verified';
    case 'saved': return 'saved';
    default: return 'running';
  }
};

// coming sorts what the others offer: what failed first, then what runs, then what waits for the
// person, then what is done.
export function coming(state: State): Record<Group, Coming[]> {
  const mine = me(state)?.rid;
  const taken = new Map(state.incoming.map((i) => [i.item, i]));
  const sorted: Record<Group, Coming[]> = { failed: [], running: [], verified: [], open: [], saved: [] };
  for (const item of state.items) {
    if (item.owner === mine) continue;
    const row = { item, incoming: taken.get(item.id) };
    sorted[stage(row)].push(row);
  }
  return sorted;
}

export interface Going {
  item: Item;
  to: Outgoing[]; // the latest of each receiver: what failed first, then what runs
  verified: Outgoing[];
}

const rank = { failed: 0, running: 1, waiting: 2, verified: 3 } as const;

// going lists what this device offers, with its receivers.
export function going(state: State): Going[] {
  const mine = me(state)?.rid;
  return state.items.filter((item) => item.owner === mine).map((item) => {
    const latest = new Map<string, Outgoing>();
    for (const o of state.outgoing) if (o.item === item.id) latest.set(o.to, o);
    const all = [...latest.values()].sort((a, b) => rank[a.state] - rank[b.state]);
    return { item, to: all.filter((o) => o.state !== 'verified'), verified: all.filter((o) => o.state === 'verified') };
  });
}

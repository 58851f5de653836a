// What has changed from one state to the next, in words.
import type { State } from './drop';
import { me } from './groups';
import { called } from './people';
import { clean } from './names';
import { t } from './words';

export function news(before: State, now: State): string {
  const said: string[] = [];
  const mine = me(now)?.rid;
  const was = new Map(before.people.map((p) => [p.rid, p]));
  for (const p of now.people) {
    if (p.me || !p.here || !p.device || (was.get(p.rid)?.here && was.get(p.rid)?.device)) continue;
    said.push(t('said_joined', { device: called(p) }));
  }
  const are = new Map(now.people.map((p) => [p.rid, p]));
  for (const p of before.people) if (!p.me && p.here && !are.get(p.rid)?.here) said.push(t('said_left', { device: called(p) }));
  const known = new Set(before.items.map((i) => i.id));
  const fresh = now.items.filter((i) => i.owner !== mine && !known.has(i.id)).length;
  if (fresh > 0) said.push(t('said_offered', { count: fresh }));
  const items = new Map(now.items.map((i) => [i.id, clean(i.name)]));
  const took = new Map(before.incoming.map((i) => [i.item, i.state]));
  for (const { item, state, why } of now.incoming) {
    if (took.get(item) === state) continue;
    const name = items.get(item) ?? '';
    if (state === 'verified') said.push(t('said_received', { name }));
    if (state === 'broken' && why !== 'cancelled') said.push(t('said_broken', { name }));
  }
  const gave = new Map(before.outgoing.map((o) => [o.id, o.state]));
  for (const { id, item, to, state } of now.outgoing) {
    if (gave.get(id) === state) continue;
    const values = { name: items.get(item) ?? '', device: called(are.get(to)) };
    if (state === 'verified') said.push(t('said_sent', values));
    if (state === 'failed') said.push(t('said_failed', values));
  }
  return said.join(' ');
}

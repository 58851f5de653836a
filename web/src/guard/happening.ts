// What one line of the history says.
import type { Answer } from '../shell/api';
import type { Icon } from '../shell/icon';
import { kinds, t } from './words';

export type Happening = Answer<'get', '/account/sign-ins'>['items'][number];

// told is the line's first words.
export function told({ kind, methods, outcome }: Happening): string {
  if (kind === 'sign-in-failed') return t.find(`wrong_${methods[0]}`) ?? t('wrong');
  if (outcome === 'held') return t('held');
  return kinds.find(kind) ?? t('other');
}

// how names what a sign-in was done with.
export function how({ kind, methods }: Happening): string {
  if (kind !== 'signed-in' && kind !== 'stepped-up') return '';
  return [...new Set(methods.flatMap((m) => t.find(`by_${m}`) ?? []))].join(' + ');
}

// reasons are the flags in words. A new device in a new place is one sentence.
export function reasons({ flags, place }: Happening): string[] {
  const left = new Set<string>(flags);
  const said: string[] = [];
  if (left.has('new_place') && place) {
    said.push(t(left.delete('new_device') ? 'newPlaceAndDevice' : 'newPlace', { place }));
    left.delete('new_place');
  }
  for (const flag of left) said.push(...(t.find(`flag_${flag}`) ? [t.find(`flag_${flag}`)!] : []));
  return said;
}

// consequences are what the server did about its findings, each once.
export function consequences({ findings }: Happening): string[] {
  return [...new Set(findings.flatMap(({ consequence }) => t.find(`did_${consequence}`) ?? []))];
}

export function iconOf({ kind, outcome, flags }: Happening): Icon {
  if (outcome === 'failed' || outcome === 'held' || flags.length > 0) return 'warning';
  if (kind === 'signed-in') return 'device';
  if (kind === 'session-ended') return 'signOut';
  return kind === 'stepped-up' ? 'check' : 'shield';
}

// doubtful is a sign-in that its owner may want to disown.
export const doubtful = ({ kind, outcome, here }: Happening): boolean => kind === 'signed-in' && outcome === 'ok' && !here;

// byDay groups a list, the newest first, by the day in the reader's time zone.
export function byDay<T extends { at: string }>(items: readonly T[]): T[][] {
  const days: T[][] = [];
  for (const item of items) {
    const last = days.at(-1);
    if (last && dayOf(last[0]!) === dayOf(item)) last.push(item);
    else days.push([item]);
  }
  return days;
}

const dayOf = ({ at }: { at: string }): string => new Date(at).toDateString();

// The pins of the person: what they are, which were changed, where this server publishes, how it is said
// in words.
import { computed, effect, signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { get, type Answer } from '../shell/api';
import { auth } from '../shell/auth';
import { onChange } from '../shell/feed';
import { dateTime } from '../shell/i18n';
import { t } from './words';

export type Pin = Answer<'get', '/pins/{id}'>;
export type At = Pin['targets'][number];
export type Target = Answer<'get', '/pins/targets'>['items'][number];

// How often pins changed so far, here or elsewhere. The pages that show some read them again.
export const changes = signal(0);

export const changed = (): void => {
  changes.value++;
};

// useChanges follows the count, a few times a second at most.
export function useChanges(): number {
  const now = changes.value;
  const [seen, see] = useState(now);
  useEffect(() => {
    if (seen === now) return;
    const timer = setTimeout(() => see(changes.peek()), 250);
    return () => clearTimeout(timer);
  }, [seen, seen === now]);
  return seen;
}

// Where this server publishes, and whether the person has pins; undefined: not known yet.
const known = signal<{ targets: readonly Target[]; some: boolean } | undefined>(undefined);

export const targets = computed<readonly Target[]>(() => known.value?.targets ?? []);

// The place is there for people who can publish, or have published.
export const placed = (): boolean => known.value !== undefined && (known.value.targets.length > 0 || known.value.some);

export function startPins(): void {
  let who: string | undefined;
  const learn = async (of: string) => {
    const { items } = await get('/pins/targets');
    const some = items.length > 0 || (await get('/pins', { query: { limit: 1 } })).items.length > 0;
    if (who === of) known.value = { targets: items, some };
  };
  // A failure is told where the person asks for pins.
  const again = () => void (who && learn(who).catch(() => undefined));
  effect(() => {
    const id = auth.value.is === 'in' ? auth.value.account.id : undefined;
    if (id === who) return;
    who = id;
    known.value = undefined;
    again();
  });
  onChange('pins', () => {
    if (!known.peek()) again();
    changed();
  });
  onChange('files', changed); // a pin is listed with the place of its file
}

// reasonOf says why something failed. The server names causes by codes.
export const reasonOf = (reason: string): string => t.find(`reason_${reason}`) ?? t('reason_other');

// nameOf is what people call a provider.
export const nameOf = (target: string): string => t.find(`name_${target}`) ?? target;

// wordOf says in one sentence how far a provider is.
export function wordOf(at: At): string {
  if (at.state === 'failed') return at.reason ? reasonOf(at.reason) : t('reason_other');
  const wait = at.next_try_at && at.reason ? t('nextTry', { reason: reasonOf(at.reason), time: dateTime(at.next_try_at) }) : '';
  if (at.state === 'verified' && at.verified_at) return [t('verifiedAt', { time: dateTime(at.verified_at) }), wait].filter(Boolean).join('. ');
  if (wait) return wait;
  return t(`at_${at.state}`);
}

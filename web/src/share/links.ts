// The links of the person: what they are, which were changed, how they are said in words.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Answer } from '../shell/api';
import { date, dateTime } from '../shell/i18n';
import { t } from './words';

export type Link = Answer<'get', '/shares/{id}'>;
export type Kind = Link['kind'];

// How often links changed so far, here or elsewhere. The pages that show some read them again.
export const changes = signal(0);

export const changed = (): void => {
  changes.value++;
};

// useChanges follows the count, a few times a second at most: many files may come at once.
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

// The day is enough where the day ends.
const until = (at: string): string => (new Date(at).getHours() === 23 && new Date(at).getMinutes() === 59 ? date(at) : dateTime(at));

// limits says what a link asks for and when it ends.
export function limits(link: Link): string[] {
  const { kind, expires_at: end, has_password, max_downloads: downloads, max_files: files } = link;
  const said: string[] = [];
  if (has_password) said.push(t('withPassword'));
  if (end) said.push(t(link.state === 'expired' ? 'expiredAt' : 'until', { time: until(end) }));
  const done = kind === 'read' ? (downloads ? t('downloadsOf', { done: link.downloads, count: downloads }) : t('downloadsDone', { count: link.downloads }))
    : files ? t('filesOf', { done: link.files, count: files }) : t('filesDone', { count: link.files });
  said.push(done.replaceAll(' ', '\u00a0')); // no line ends within it
  return said;
}

// nameOf is what a link leads to. What is in the trash has no name here, and a damaged link none.
export const nameOf = (link: Link): string => link.entry?.name ?? t(link.state === 'damaged' ? 'damagedLink' : 'inTrash');

// titleOf is what a link is called among those of one entry.
export const titleOf = (link: Link): string => link.note || t(link.kind === 'read' ? 'linkTo' : 'linkFor');

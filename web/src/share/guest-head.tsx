// The head of a guest's page: above a link's files, and above the form that takes some.
import type { ComponentChildren } from 'preact';
import { Time } from '../shell/form';
import { dateTime } from '../shell/i18n';
import type { Link } from './guest';
import { t } from './guest-words';

interface HeadProps {
  link: Link;
  lead: string;
  facts: ComponentChildren[];
  inside?: boolean;
  children: ComponentChildren;
}

// Head says who shares, until when, and what they want to tell: inside a folder not once more.
export function Head({ link, lead, facts, inside, children }: HeadProps) {
  return (
    <header class="guest-head">
      <p class="guest-lead">{lead}</p>
      {children}
      {facts.length > 0 && <ul class="guest-said">{facts.map((fact, i) => <li key={i}>{fact}</li>)}</ul>}
      {link.note && !inside && (
        <figure class="guest-note">
          <figcaption>{t('noteBy', { owner: link.owner })}</figcaption>
          <blockquote>{link.note}</blockquote>
        </figure>
      )}
    </header>
  );
}

export const until = (key: 'until' | 'handInUntil', at: string | null): ComponentChildren[] => (at ? [<Time key="until" at={at}>{t(key, { at: dateTime(at) })}</Time>] : []);

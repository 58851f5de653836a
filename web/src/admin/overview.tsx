// Overview: what needs the operator first, then how everything is.
import type { ComponentChildren } from 'preact';
import { get } from '../shell/api';
import { duration, size } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Failed, Skeleton } from '../shell/ui';
import { Desk, useLook } from './desk';
import { needs, partsOf, type Need } from './needs';
import type { Overview as Seen } from './types';
import { t } from './words';

export function Overview() {
  const { data, problem, reload } = useLook((signal) => get('/admin/overview', { signal }), []);
  return (
    <Desk title={t('overview')} text={t('overviewText')}>
      {problem && <Failed problem={problem} retry={reload} />}
      {data ? <Glance seen={data} /> : !problem && <Skeleton rows={6} />}
    </Desk>
  );
}

// span says how long something waits: days, where hours would be many.
const span = (seconds: number): string => (seconds < 2 * 86_400 ? duration(seconds) : t('days', { count: Math.floor(seconds / 86_400) }));

const partOf = (name: string): string => t.find(`part_${name}`) ?? name;
const downOf = (name: string): string => t.find(`partDown_${name}`) ?? t('partDown');

function Glance({ seen }: { seen: Seen }) {
  const list = needs(seen);
  return (
    <>
      <section class={list.length > 0 ? 'admin-state needs' : 'admin-state'} aria-labelledby="admin-state">
        <Icon name={list.length > 0 ? 'warning' : 'check'} />
        <div>
          <div>
            <h2 id="admin-state">{list.length > 0 ? t('needsTitle', { count: list.length }) : t('wellTitle')}</h2>
            {list.length === 0 && <p>{t('wellText')}</p>}
          </div>
          {list.length > 0 && <ul>{list.map((need) => <Needed key={need.what + ('part' in need ? need.part : '')} need={need} />)}</ul>}
        </div>
      </section>
      <section class="card" aria-labelledby="admin-parts">
        <h2 id="admin-parts">{t('parts')}</h2>
        <ul class="admin-rows">
          {partsOf(seen.checks).map(({ name, ok }) => (
            <li key={name} class="admin-row">
              <Icon name={ok ? 'check' : 'warning'} class={ok ? 'good' : 'admin-bad'} />
              <div>
                <p class="admin-name">{partOf(name)}</p>
                <p class="hint">{ok ? t('partWell') : downOf(name)}</p>
              </div>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="admin-queue">
        <div>
          <h2 id="admin-queue">{t('queue')}</h2>
          <p class="hint">{t('queueText')}</p>
        </div>
        <dl class="admin-figures">
          <Fact label={t('queueWaiting')} href="/admin/jobs?state=waiting">{t('number', { count: seen.queue.waiting })}</Fact>
          <Fact label={t('queueAge')}>{seen.queue.oldest_seconds > 0 ? span(seen.queue.oldest_seconds) : t('queueNone')}</Fact>
          <Fact label={t('queueDead')} href="/admin/jobs">{t('number', { count: seen.queue.dead })}</Fact>
        </dl>
      </section>
      <section class="card" aria-labelledby="admin-counts">
        <h2 id="admin-counts">{t('counts')}</h2>
        <dl class="admin-figures">
          <Fact label={t('accounts')} href="/admin/people">{t('number', { count: people(seen.usage.accounts) })}</Fact>
          <Fact label={t('admins')}>{t('number', { count: seen.usage.accounts.admins })}</Fact>
          <Fact label={t('stored')} href="/admin/storage">{size(seen.usage.bytes)}</Fact>
          <Fact label={t('links')}>{t('number', { count: seen.usage.shares.read + seen.usage.shares.request })}</Fact>
          <Fact label={t('connections')}>{t('number', { count: seen.usage.drops })}</Fact>
          <Fact label={t('version')}>{seen.version}</Fact>
        </dl>
      </section>
    </>
  );
}

const people = ({ active, deactivated, suspended, deleting }: Seen['usage']['accounts']): number => active + deactivated + suspended + deleting;

// A Fact leads to the page that has more of it.
function Fact({ label, href, children }: { label: string; href?: string; children: ComponentChildren }) {
  return <div><dt>{label}</dt><dd>{href ? <a href={href} aria-label={`${label}: ${children}`}>{children}</a> : children}</dd></div>;
}

function Needed({ need }: { need: Need }) {
  const { title, text, href, label } = said(need);
  return (
    <li>
      <div>
        <p class="admin-name">{title}</p>
        <p class="small">{text}</p>
      </div>
      {href && <a class="button" href={href}>{label}</a>}
    </li>
  );
}

function said(need: Need): { title: string; text: string; href?: string; label?: string } {
  switch (need.what) {
    case 'down': return { title: t('needDown', { part: partOf(need.part) }), text: downOf(need.part) };
    case 'dead': return { title: t('needDead', { count: need.count }), text: t('needDeadText'), href: '/admin/jobs', label: t('needDeadDo') };
    case 'late': return { title: t('needLate', { time: span(need.seconds) }), text: t('needLateText'), href: '/admin/jobs?state=waiting', label: t('needLateDo') };
  }
}

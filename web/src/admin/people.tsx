// People: one account, found by its exact address or username, and the newest ones.
import { useState } from 'preact/hooks';
import { get } from '../shell/api';
import { Field, Form } from '../shell/form';
import { date } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { usePages } from '../shell/pages';
import { go, place, type Params } from '../shell/router';
import { Empty, Failed, Skeleton } from '../shell/ui';
import { Desk, useAgain, useLeave, useLook } from './desk';
import { Card } from './person';
import type { Summary } from './types';
import { t } from './words';

// People finds by ?q=, so that the answer has an address and the back button a meaning.
export function People() {
  const q = new URLSearchParams(place.value.search).get('q')?.trim() ?? '';
  return (
    <Desk title={t('people')} text={t('peopleText')}>
      <section class="card" aria-label={t('find')}>
        <Form key={q} submit={t('find')} icon="search" onSubmit={async (v) => {
          const next = v.q!.trim();
          if (next) go('/admin/people?' + new URLSearchParams({ q: next }).toString());
        }}>
          <Field name="q" label={t('findLabel')} hint={t('findHint')} value={q} required maxLength={254} autoComplete="off" spellcheck={false} autoFocus={!q} />
        </Form>
      </section>
      {q ? <Found key={q} q={q} /> : <Newest />}
    </Desk>
  );
}

function Newest() {
  const [changes, setChanges] = useState(0);
  const list = usePages<Summary>((cursor, signal) => get('/admin/accounts', { query: { cursor, limit: 20 }, signal }), changes);
  const { items } = list;
  useLeave(list.problem);
  useAgain(() => setChanges((n) => n + 1), 60);
  if (!items) return list.problem ? <Failed problem={list.problem} retry={list.reload} /> : <Skeleton rows={4} />;
  return (
    <>
      {list.problem && <Failed problem={list.problem} retry={list.reload} />}
      <section class="card" aria-labelledby="admin-newest">
        <h2 id="admin-newest">{t('newest')}</h2>
        <ul class="admin-rows">
          {items.map((one) => (
            <li key={one.id} class="admin-row">
              <div>
                <p class="admin-name">
                  <a href={'/admin/people/' + encodeURIComponent(one.id)}>{one.username || t('unreadable')}</a>
                  {one.status !== 'active' && <span class="tag admin-alarm">{t(`state_${one.status}`)}</span>}
                  {one.role === 'admin' && <span class="tag">{t('admin')}</span>}
                </p>
                <p class="hint admin-long">{one.email} · {t('joined')} {date(one.created_at)}</p>
              </div>
            </li>
          ))}
        </ul>
      </section>
      {list.more && <div class="admin-next"><button type="button" class="button" aria-disabled={list.busy} onClick={list.more}>{t('more')}</button></div>}
    </>
  );
}

function Found({ q }: { q: string }) {
  const { data, problem, reload } = useLook((signal) => get('/admin/accounts', { query: { q }, signal }), [q], 60);
  const person = data?.items[0];
  if (problem) return <Failed problem={problem} retry={reload} />;
  if (!data) return <Skeleton rows={4} />;
  if (!person) return (
    <Empty icon="user" title={t('nobody')}>
      <p class="admin-long">{t('nobodyText', { q })}</p>
    </Empty>
  );
  return <Person key={person.id} id={person.id} />;
}

// One is the page of an account, which the log links to.
export function One({ params }: { params: Params }) {
  return (
    <Desk title={t('people')} text={t('peopleText')} main={<a class="button" href="/admin/people"><Icon name="search" /> {t('findOther')}</a>}>
      <Person id={params.id!} />
    </Desk>
  );
}

function Person({ id }: { id: string }) {
  const { data, problem, reload, set } = useLook((signal) => get('/admin/accounts/{id}', { path: { id }, signal }), [id]);
  if (!data) return problem ? <Failed problem={problem} retry={reload} /> : <Skeleton rows={6} />;
  return (
    <>
      {problem && <Failed problem={problem} retry={reload} />}
      <Card person={data} set={set} reload={reload} />
    </>
  );
}

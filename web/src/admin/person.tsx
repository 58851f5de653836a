// An account as an operator sees it: its state in words, what can be done with it, and what each
// deed does. Names and contents of files are never here.
import { useState } from 'preact/hooks';
import { del, patch, post, type Body } from '../shell/api';
import { me } from '../shell/auth';
import { Time } from '../shell/form';
import { ago, date, size } from '../shell/i18n';
import { layerStep } from '../shell/room';
import { toast } from '../shell/ui';
import { act } from './desk';
import { askedQuota, QuotaFields } from './quota';
import { Question } from './question';
import type { Person } from './types';
import { t } from './words';

type Change = Body<'patch', '/admin/accounts/{id}'>;
type Deed = 'suspend' | 'activate' | 'lock' | 'unlock' | 'signOut' | 'reset' | 'promote' | 'demote' | 'quota';

// stateOf is what decides first whether the owner can use the account.
export function stateOf(person: Person): 'suspended' | 'deactivated' | 'deleting' | 'locked' | 'active' {
  return person.status === 'active' && person.locked ? 'locked' : person.status;
}

// deedsOf lists what can be done. Nobody takes their own way in.
export function deedsOf(person: Person, own: boolean): Deed[] {
  const deeds: Deed[] = [];
  if (person.status !== 'deleting') {
    deeds.push('signOut');
    if (!person.suspended) deeds.push('reset');
    if (!own) deeds.push(person.locked ? 'unlock' : 'lock', person.suspended ? 'activate' : 'suspend', person.role === 'admin' ? 'demote' : 'promote');
    deeds.push('quota');
  }
  return deeds;
}

// named is what tells the person behind a username.
const named = (person: Person): string => [[person.first_name, person.last_name].filter(Boolean).join(' '), person.email].filter(Boolean).join(' · ');

const grave: readonly Deed[] = ['suspend', 'demote', 'signOut'];

interface CardProps {
  person: Person;
  set: (person: Person) => void;
  reload: () => Promise<void>;
}

export function Card({ person, set, reload }: CardProps) {
  const [asking, setAsking] = useState<Deed>();
  const own = me()?.id === person.id;
  const state = stateOf(person);
  const name = person.username;
  const change = async (body: Change) => set(await act(patch('/admin/accounts/{id}', { path: { id: person.id }, body })));
  const run: Record<Deed, (values: Record<string, string>) => Promise<unknown>> = {
    suspend: () => change({ status: 'suspended' }),
    activate: () => change({ status: 'active' }),
    lock: () => change({ locked: true }),
    unlock: () => change({ locked: false }),
    promote: () => change({ role: 'admin' }),
    demote: () => change({ role: 'user' }),
    signOut: async () => {
      await act(del('/admin/accounts/{id}/sessions', { path: { id: person.id } }));
      await reload();
    },
    reset: () => act(post('/admin/accounts/{id}/reset', { path: { id: person.id } })),
    quota: (values) => change(askedQuota(values)),
  };
  return (
    <>
      <section class="card" aria-labelledby="admin-person">
        <div class="admin-who">
          <div>
            <h2 id="admin-person" class="admin-long">{name}</h2>
            <p class="hint admin-long">{named(person)}</p>
          </div>
          <p class="admin-tags">
            <span class={state === 'active' ? 'tag good' : 'tag admin-alarm'}>{t(`state_${state}`)}</span>
            {person.locked && state !== 'locked' && <span class="tag admin-alarm">{t('state_locked')}</span>}
            {person.role === 'admin' && <span class="tag">{t('admin')}</span>}
          </p>
        </div>
        <p>{t(`is_${state}`)}{own && ' ' + t('isYou')}</p>
        <Facts person={person} />
        <p><a href={'/admin/log?account=' + encodeURIComponent(person.id)}>{t('logOf')}</a></p>
      </section>
      <section class="card" aria-labelledby="admin-deeds">
        <h2 id="admin-deeds">{t('deeds')}</h2>
        <ul class="admin-rows">
          {deedsOf(person, own).map((deed) => (
            <li key={deed} class="admin-row admin-deed">
              <div>
                <p class="admin-name">{t(`do_${deed}`)}</p>
                <p class="hint">{t(`does_${deed}`)}</p>
              </div>
              <button type="button" class={deed === 'suspend' ? 'button danger-text' : 'button'} onClick={() => setAsking(deed)}>{t(`button_${deed}`)} …</button>
            </li>
          ))}
        </ul>
        {own && <p class="hint">{t('ownText')}</p>}
      </section>
      {asking && (
        <Question title={t(`ask_${asking}`, { name })} submit={t(`button_${asking}`)} danger={grave.includes(asking)} onClose={() => setAsking(undefined)} run={async (values) => {
          await run[asking](values);
          toast(t(`done_${asking}`, { name }));
        }}>
          <div class="prose">
            <p class="admin-long"><strong>{named(person)}</strong></p>
            <p>{t(`does_${asking}`)}</p>
          </div>
          {asking === 'quota' && <QuotaFields person={person} />}
        </Question>
      )}
    </>
  );
}

function Facts({ person }: { person: Person }) {
  const { usage } = person;
  const steps = person.layers.map((layer) => layerStep(layer)?.title() ?? layer);
  return (
    <dl class="admin-figures">
      <div><dt>{t('joined')}</dt><dd>{date(person.created_at)}</dd></div>
      <div><dt>{t('lastSignIn')}</dt><dd>{person.signed_in_at ? <Time at={person.signed_in_at}>{ago(person.signed_in_at)}</Time> : t('never')}</dd></div>
      <div><dt>{t('devices')}</dt><dd>{t('number', { count: person.sessions })}</dd></div>
      <div><dt>{t('steps')}</dt><dd>{steps.join(', ') || t('stepsNone')}</dd></div>
      <div><dt>{t('passkeys')}</dt><dd>{t('number', { count: person.passkeys })}</dd></div>
      <div>
        <dt>{t('storage')}</dt>
        <dd>
          {usage.quota_bytes ? t('usedOf', { used: size(usage.bytes), whole: size(usage.quota_bytes) }) : t('used', { used: size(usage.bytes) })}
          {usage.quota_bytes ? <progress value={Math.min(usage.bytes, usage.quota_bytes)} max={usage.quota_bytes} aria-label={t('storage')} /> : null}
        </dd>
      </div>
      <div><dt>{t('files')}</dt><dd>{usage.quota_files ? t('filesOf', { count: usage.files + usage.folders, whole: usage.quota_files }) : t('number', { count: usage.files + usage.folders })}</dd></div>
      <div><dt>{t('links')}</dt><dd>{t('number', { count: person.links })}</dd></div>
      <div><dt>{t('accountId')}</dt><dd class="admin-mono admin-long">{person.id}</dd></div>
    </dl>
  );
}

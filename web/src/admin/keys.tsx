// Keys: what each is for, how old it is, and how far a rotation has come.
import { useState } from 'preact/hooks';
import { get, post, type Body } from '../shell/api';
import { Time } from '../shell/form';
import { ago } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Failed, Skeleton, toast } from '../shell/ui';
import { act, Desk, useLook } from './desk';
import { Question } from './question';
import type { Key, Walk } from './types';
import { t } from './words';

type Name = Body<'post', '/admin/keys'>['purpose'];

export function Keys() {
  const [asking, setAsking] = useState<Name>();
  const { data, problem, reload } = useLook((signal) => get('/admin/keys', { signal }), [], 5);
  const purposes = [...new Set(data?.keys.map((key) => key.purpose as Name))];
  return (
    <Desk title={t('keys')} text={t('keysText')}>
      {problem && <Failed problem={problem} retry={reload} />}
      {!data ? !problem && <Skeleton rows={6} /> : (
        <section class="card" aria-label={t('keys')}>
          <ul class="admin-rows">
            {purposes.map((purpose) => (
              <Purpose key={purpose} purpose={purpose} keys={data.keys.filter((key) => key.purpose === purpose)} walks={data.walks.filter((walk) => walk.purpose === purpose)} onRotate={() => setAsking(purpose)} />
            ))}
          </ul>
        </section>
      )}
      {asking && (
        <Question title={t('askRotate', { purpose: nameOf(asking) })} submit={t('rotate')} onClose={() => setAsking(undefined)} run={async () => {
          await act(post('/admin/keys', { body: { purpose: asking } }));
          await reload();
          toast(t('rotated', { purpose: nameOf(asking) }));
        }}>
          <p>{t('rotateText')}</p>
        </Question>
      )}
    </Desk>
  );
}

export const nameOf = (purpose: string): string => t.find(`purpose_${purpose}`) ?? purpose;

function Purpose({ purpose, keys, walks, onRotate }: { purpose: string; keys: Key[]; walks: Walk[]; onRotate: () => void }) {
  const active = keys.find((key) => key.state === 'active');
  const old = keys.filter((key) => key.state === 'open-only').length;
  const damaged = walks.reduce((n, walk) => n + walk.damaged, 0);
  const next = keys.some((key) => key.state === 'pending');
  return (
    <li class="admin-row admin-deed">
      <div>
        <p class="admin-name">{nameOf(purpose)}</p>
        <p class="hint">{t.find(`purposeFor_${purpose}`)}</p>
        <p class="hint">
          {active ? <>{t('keyActive')} <Time at={active.active_at ?? active.created_at}>{ago(active.active_at ?? active.created_at)}</Time></> : t('keyNone')}
          {old > 0 && <>{'\u00a0· '}{t('keysOld', { count: old })}</>}
          {next && <>{'\u00a0· '}{t('keyNext')}</>}
        </p>
        {walks.filter((walk) => !walk.finished_at).map((walk) => (
          <div key={walk.name} class="admin-walk">
            <p class="hint">{t('walk', { count: walk.done })}</p>
            <progress aria-label={t('walkLabel', { purpose: nameOf(purpose) })} />
          </div>
        ))}
        {damaged > 0 && <p class="admin-why"><Icon name="warning" /> {t('damaged', { count: damaged })}</p>}
      </div>
      <button type="button" class="button" aria-label={t('rotateOf', { purpose: nameOf(purpose) })} onClick={onRotate}>{t('rotate')} …</button>
    </li>
  );
}

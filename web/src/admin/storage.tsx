// Storage: how much there is of everything, and what can be taken down.
import { useState } from 'preact/hooks';
import { del, get, patch } from '../shell/api';
import { Field, Form, Time } from '../shell/form';
import { ago, size } from '../shell/i18n';
import { Failed, Skeleton, toast } from '../shell/ui';
import { act, Desk, useLook } from './desk';
import { Question } from './question';
import type { SharedLink } from './types';
import { t } from './words';

export function Storage() {
  const { data, problem, reload } = useLook((signal) => get('/admin/usage', { signal }), [], 60);
  return (
    <Desk title={t('storage')} text={t('storageText')}>
      {problem && <Failed problem={problem} retry={reload} />}
      {!data ? !problem && <Skeleton rows={5} /> : (
        <section class="card" aria-labelledby="admin-kept">
          <h2 id="admin-kept">{t('kept')}</h2>
          <dl class="admin-figures">
            <div><dt>{t('keptBytes')}</dt><dd>{size(data.bytes)}</dd></div>
            {data.reserved > 0 && <div><dt>{t('keptReserved')}</dt><dd>{size(data.reserved)}</dd></div>}
            <div><dt>{t('keptFiles')}</dt><dd>{t('number', { count: data.files })}</dd></div>
            <div><dt>{t('keptFolders')}</dt><dd>{t('number', { count: data.folders })}</dd></div>
            <div><dt>{t('keptBlobs')}</dt><dd>{t('number', { count: data.blobs })}</dd></div>
            <div><dt>{t('keptLinks')}</dt><dd>{t('number', { count: data.shares.read })}</dd></div>
            <div><dt>{t('keptRequests')}</dt><dd>{t('number', { count: data.shares.request })}</dd></div>
            <div><dt>{t('keptBlocked')}</dt><dd>{t('number', { count: data.shares.blocked })}</dd></div>
            <div><dt>{t('connections')}</dt><dd>{t('number', { count: data.drops })}</dd></div>
          </dl>
          <p class="hint">{t('keptText')}</p>
        </section>
      )}
      <TakeDown />
      <EndConnection />
    </Desk>
  );
}

// TakeDown finds a link by its address, shows what it is, and blocks it.
function TakeDown() {
  const [link, setLink] = useState<SharedLink>();
  const [asking, setAsking] = useState(false);
  return (
    <section class="card" aria-labelledby="admin-take-down">
      <div>
        <h2 id="admin-take-down">{t('takeDown')}</h2>
        <p class="hint">{t('takeDownText')}</p>
      </div>
      <Form quiet submit={t('findLink')} icon="search" onSubmit={async (v) => {
        setLink(undefined);
        setLink(await act(get('/admin/shares/{ref}', { path: { ref: v.link!.trim() } })));
      }}>
        <Field name="link" label={t('linkLabel')} hint={t('linkHint')} required maxLength={500} autoComplete="off" spellcheck={false} />
      </Form>
      {link && (
        <div class="admin-row admin-deed" role="group" aria-label={t('linkFound')}>
          <div>
            <p class="admin-name">{t(`linkTo_${link.kind}`)} <span class={link.state === 'open' ? 'tag good' : link.blocked ? 'tag admin-alarm' : 'tag'}>{t(`link_${link.state}`)}</span></p>
            <p class="hint">{t('linkMade')} <Time at={link.created_at}>{ago(link.created_at)}</Time> · {t('linkOwner')} <a class="admin-long" href={'/admin/people/' + encodeURIComponent(link.account.id)}>{link.account.username || t('gone')}</a></p>
          </div>
          <button type="button" class={link.blocked ? 'button' : 'button danger-text'} onClick={() => setAsking(true)}>{t(link.blocked ? 'linkUnblock' : 'linkBlock')} …</button>
        </div>
      )}
      {link && asking && (
        <Question title={t(link.blocked ? 'askUnblock' : 'askBlock')} submit={t(link.blocked ? 'linkUnblock' : 'linkBlock')} danger={!link.blocked} onClose={() => setAsking(false)} run={async () => {
          setLink(await act(patch('/admin/shares/{ref}', { path: { ref: link.id }, body: { blocked: !link.blocked } })));
          toast(t(link.blocked ? 'unblocked' : 'blocked'));
        }}>
          <p>{t(link.blocked ? 'unblockText' : 'blockText')}</p>
        </Question>
      )}
    </section>
  );
}

// EndConnection ends a drop by its name.
function EndConnection() {
  const [name, setName] = useState<string>();
  const [round, setRound] = useState(0);
  return (
    <section class="card" aria-labelledby="admin-drop">
      <div>
        <h2 id="admin-drop">{t('endDrop')}</h2>
        <p class="hint">{t('endDropText')}</p>
      </div>
      <Form key={round} quiet submit={t('endDropDo') + ' …'} onSubmit={async (v) => setName(v.drop!.trim())}>
        <Field name="drop" label={t('dropName')} hint={t('dropHint')} required maxLength={64} autoComplete="off" spellcheck={false} />
      </Form>
      {name && (
        <Question title={t('askEndDrop', { name })} submit={t('endDropDo')} danger onClose={() => setName(undefined)} run={async () => {
          await act(del('/admin/drops/{name}', { path: { name } }));
          setRound(round + 1);
          toast(t('endedDrop', { name }));
        }}>
          <p>{t('endDropAsk')}</p>
        </Question>
      )}
    </section>
  );
}

// How others come in: name, code, link and QR code. The host alone sees it.
import { useState } from 'preact/hooks';
import { Field, Form, Select } from '../shell/form';
import { clock, dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import { Qr } from '../shell/qr';
import { Copy, Dialog, Menu, toast, type MenuItem } from '../shell/ui';
import type { Drop, State } from './drop';
import { cleanName, isName } from './pick';
import { t } from './words';

const allTries = 3;

export function Share({ drop, state, onClose }: { drop: Drop; state: State; onClose: () => void }) {
  const [wish, setWish] = useState<'rename' | 'prolong'>();
  const { code = '', link = '', burnt, tries = allTries } = state;
  const close = () => setWish(undefined);
  const fresh = () => {
    drop.newCode();
    toast(t('newCodeDone'));
  };
  const items: MenuItem[] = [
    { icon: 'pencil', label: t('rename'), run: () => setWish('rename') },
    { icon: 'key', label: t('newCode'), run: fresh },
    { icon: 'plus', label: t('prolong'), run: () => setWish('prolong') },
    { icon: 'close', label: t('close'), run: onClose, danger: true },
  ];
  return (
    <section class="card drop-share" aria-labelledby="drop-share">
      <div class="drop-head">
        <h2 id="drop-share">{t('shareTitle')}</h2>
        <Menu label={t('actions')} items={items}><Icon name="more" /></Menu>
      </div>
      <div class="drop-share-body">
        {link && (
          <figure class="drop-scan">
            <Qr class="drop-picture" text={link} label={t('qr')} />
            <figcaption class="hint">{t('qrHint')}</figcaption>
          </figure>
        )}
        <div class="drop-ways">
          <dl class="drop-words">
            <div>
              <dt>{t('connectionName')}</dt>
              <dd class="drop-name">{state.name}</dd>
            </div>
            <div>
              <dt>{t('codeShort')}</dt>
              {burnt || !code ? <dd class="drop-code burnt">{t('codeGone')}</dd> : (
                <dd class="drop-code">
                  <span class="hidden">{[...code].join(' ')}</span>
                  <span aria-hidden="true">{code.slice(0, 3)} {code.slice(3)}</span>
                </dd>
              )}
            </div>
          </dl>
          {link && (
            <div class="drop-link">
              <div class="card-buttons">
                <Copy text={link} label={t('copyLink')} />
                {'share' in navigator && <button type="button" class="button" onClick={() => void navigator.share({ url: link }).catch(() => undefined)}><Icon name="link" /> {t('shareLink')}</button>}
              </div>
              <p class="hint">{t('linkHint')} {state.expiresAt && t('until', { time: untilOf(state.expiresAt) })}</p>
            </div>
          )}
        </div>
      </div>
      {burnt ? (
        <div class="notice bad" role="alert">
          <Icon name="warning" />
          <div>
            <p><strong>{t('burntTitle')}</strong></p>
            <p>{t('burntText')}</p>
            <button type="button" class="button" onClick={fresh}><Icon name="key" /> {t('newCode')}</button>
          </div>
        </div>
      ) : tries < allTries && <p class="notice" role="status"><Icon name="warning" /> <span>{t('tries', { count: allTries - tries })}</span></p>}
      {wish === 'rename' && <Rename drop={drop} name={state.name} onClose={close} />}
      {wish === 'prolong' && <Prolong drop={drop} onClose={close} />}
    </section>
  );
}

// untilOf names the day only where it is not today.
const untilOf = (at: string): string => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : dateTime(at));

function Rename({ drop, name, onClose }: { drop: Drop; name: string; onClose: () => void }) {
  return (
    <Dialog title={t('renameTitle')} onClose={onClose}>
      <Form submit={t('rename')} onCancel={onClose} onSubmit={async (values) => {
        const next = cleanName(values.name ?? '');
        if (!isName(next)) throw new Problem({ status: -1, code: 'validation_failed', fields: [{ pointer: '/name', code: 'drop_name' }] });
        if (next !== name) {
          await drop.rename(next);
          toast(t('renamed', { name: next }));
        }
        onClose();
      }}>
        <Field name="name" label={t('connectionName')} hint={t('renameHint')} value={name} autoFocus required autoComplete="off" spellcheck={false} maxLength={40} />
      </Form>
    </Dialog>
  );
}

const hour = 3_600_000;

function Prolong({ drop, onClose }: { drop: Drop; onClose: () => void }) {
  return (
    <Dialog title={t('prolongTitle')} onClose={onClose}>
      <Form submit={t('prolong')} onCancel={onClose} onSubmit={async ({ span }) => {
        const until = new Date(Date.now() + Number(span) * hour);
        await drop.prolong(until);
        toast(t('prolonged', { time: dateTime(until.toISOString()) }));
        onClose();
      }}>
        <Select name="span" label={t('prolongFor')} value="24" options={{ 12: t('hours', { count: 12 }), 24: t('days', { count: 1 }), 72: t('days', { count: 3 }), 167: t('days', { count: 7 }) }} />
      </Form>
    </Dialog>
  );
}

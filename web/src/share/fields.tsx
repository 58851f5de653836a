// The fields of a link: for whom it is, and how long it works.
import type { TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { Field, Password, Select, TextArea } from '../shell/form';
import { date, size } from '../shell/i18n';
import type { Kind, Link } from './links';
import { t } from './words';

// Fields are those of one kind of link; was is the link that they change.
export function Fields({ kind, was }: { kind: Kind; was?: Link }) {
  const used = kind === 'read' ? was?.downloads : was?.files;
  const hint = used ? t('soFar', { count: used }) : t('emptyNoLimit');
  if (kind === 'read') {
    return (
      <>
        <div class="pair">
          <Expiry was={was} />
          <Number name="max_downloads" label={t('downloads')} hint={hint} value={was?.max_downloads} />
        </div>
        <Secret was={was} />
        <TextArea name="note" label={t('note')} hint={t('noteHint')} value={was?.note ?? ''} maxLength={noteMost} />
      </>
    );
  }
  return (
    <>
      <TextArea name="note" label={t('noteRequest')} hint={t('noteHint')} value={was?.note ?? ''} maxLength={noteMost} />
      <div class="pair">
        <Expiry was={was} />
        <Secret was={was} />
      </div>
      <div class="pair">
        <Number name="max_files" label={t('maxFiles')} hint={hint} value={was?.max_files} />
        <Largest value={was?.max_file_bytes} />
      </div>
      <Field name="accept" label={t('accept')} hint={t('acceptHint')} value={was?.accept?.join(', ')} autoComplete="off" spellcheck={false} />
    </>
  );
}

const noteMost = 1000;

function Number({ name, label, hint, value }: { name: string; label: string; hint: string; value: number | null | undefined }) {
  return <Field name={name} label={label} hint={hint} value={value ? String(value) : ''} inputMode="numeric" autoComplete="off" maxLength={15} />;
}

// Expiry offers what people choose most, and any day.
function Expiry({ was }: { was: Link | undefined }) {
  const [on, setOn] = useState(false);
  const now = was?.expires_at ? { keep: (was.state === 'expired' ? t('keepExpired', { time: date(was.expires_at) }) : t('keepUntil', { time: date(was.expires_at) })) } : undefined;
  const options = { ...now, never: t('never'), d1: t('inDays', { count: 1 }), d7: t('inDays', { count: 7 }), d30: t('inDays', { count: 30 }), on: t('onDay') };
  return (
    <div class="share-expiry" onChange={(event: TargetedEvent<HTMLElement>) => {
      const select = event.target as unknown as HTMLSelectElement;
      if (select.name === 'expires') setOn(select.value === 'on');
    }}>
      <Select name="expires" label={t('expires')} value={now ? 'keep' : 'never'} options={options} />
      {on && <Field name="expires_at" label={t('lastDay')} type="date" min={today()} max="9999-12-31" required autoFocus />}
    </div>
  );
}

// today is the day where the person is.
function today(): string {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, '0')).join('-');
}

// Secret is the field of the password. A link that has one keeps it, unless the person says
// otherwise: no person can read it again.
function Secret({ was }: { was: Link | undefined }) {
  const [mode, setMode] = useState(was?.has_password ? 'keep' : 'new');
  return (
    <div class="share-passphrase" onChange={(event: TargetedEvent<HTMLElement>) => {
      const select = event.target as unknown as HTMLSelectElement;
      if (select.name === 'passwordDo') setMode(select.value);
    }}>
      {was?.has_password && <Select name="passwordDo" label={t('password')} value="keep" options={{ keep: t('passwordKeep'), new: t('passwordNew'), none: t('passwordNone') }} />}
      {mode === 'new' && <Password name="password" label={was?.has_password ? t('newPassword') : t('password')} hint={t(was?.has_password ? 'passwordNewHint' : 'passwordHint')} autoComplete="new-password" required={was?.has_password} autoFocus={was?.has_password} />}
    </div>
  );
}

const sizes = [10e6, 100e6, 1e9, 10e9];

function Largest({ value }: { value: number | null | undefined }) {
  const all = value && !sizes.includes(value) ? [...sizes, value].sort((a, b) => a - b) : sizes;
  return <Select name="max_file_bytes" label={t('maxSize')} value={value ? 'b' + value : ''} options={{ '': t('noLimit'), ...Object.fromEntries(all.map((n) => ['b' + n, size(n)])) }} />;
}

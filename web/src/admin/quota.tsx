// The fields of a quota: as it is, as the server's settings say, none, or an amount.
import type { ComponentChildren, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { Field, Select, type Values } from '../shell/form';
import { size } from '../shell/i18n';
import { Problem } from '../shell/problem';
import { read, units, write } from './amount';
import type { Person } from './types';
import { t } from './words';

export function QuotaFields({ person }: { person: Person }) {
  const { quota_bytes, quota_files } = person.usage;
  const bytes = quota_bytes ? write(quota_bytes) : { text: '', unit: 'GB' };
  return (
    <>
      <Choice name="bytes" label={t('quotaBytes')} now={quota_bytes ? size(quota_bytes) : t('quotaNone')}>
        <div class="admin-amount">
          <Field name="quota_bytes" label={t('amount')} value={bytes.text} inputMode="text" required autoComplete="off" maxLength={16} />
          <Select name="unit" label={t('unit')} value={bytes.unit} options={Object.fromEntries(Object.keys(units).map((u) => [u, u]))} />
        </div>
      </Choice>
      <Choice name="files" label={t('quotaFiles')} now={quota_files ? t('number', { count: quota_files }) : t('quotaNone')}>
        <Field name="quota_files" label={t('amountFiles')} value={quota_files ? String(quota_files) : ''} inputMode="numeric" required autoComplete="off" maxLength={12} />
      </Choice>
    </>
  );
}

function Choice({ name, label, now, children }: { name: string; label: string; now: string; children: ComponentChildren }) {
  const [mode, setMode] = useState('keep');
  return (
    <div class="admin-pick" onChange={(event: TargetedEvent<HTMLElement>) => {
      const select = event.target as unknown as HTMLSelectElement;
      if (select.name === name) setMode(select.value);
    }}>
      <Select name={name} label={label} value={mode} options={{ keep: t('quotaKeep', { now }), default: t('quotaDefault'), none: t('quotaNone'), own: t('quotaOwn') }} />
      {mode === 'own' && children}
    </div>
  );
}

interface Asked {
  quota_bytes?: number | null;
  quota_files?: number | null;
}

// askedQuota reads what the fields say. What stays as it is is left out.
export function askedQuota(values: Values): Asked {
  const asked: Asked = {};
  if (values.bytes !== 'keep') asked.quota_bytes = amount(values, 'bytes', (text) => read(text, values.unit ?? ''));
  if (values.files !== 'keep') asked.quota_files = amount(values, 'files', count);
  return asked;
}

function amount(values: Values, name: string, of: (text: string) => number | undefined): number | null {
  if (values[name] === 'default') return null;
  if (values[name] === 'none') return 0;
  const n = of(values['quota_' + name] ?? '');
  if (n === undefined) throw new Problem({ status: -1, code: 'validation_failed', fields: [{ pointer: '/quota_' + name, code: 'admin_' + name }] });
  return n;
}

function count(text: string): number | undefined {
  const digits = text.trim();
  return /^\d{1,12}$/.test(digits) && Number(digits) > 0 ? Number(digits) : undefined;
}

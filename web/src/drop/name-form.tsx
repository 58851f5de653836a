// The field for the name of a drop. It takes a pasted link too.
import type { TargetedClipboardEvent } from 'preact';
import { Field, Form } from '../shell/form';
import { Problem } from '../shell/problem';
import { parseLink } from './drop';
import { hand } from './handed';
import { t } from './words';

interface NameFormProps {
  value?: string;
  autoFocus?: boolean;
  quiet?: boolean; // something else is the main thing of the page
  hint?: string;
}

export function NameForm({ value, autoFocus, quiet, hint = t('receiveHint') }: NameFormProps) {
  return (
    <Form submit={t('next')} quiet={quiet} onSubmit={async ({ name = '' }) => {
      const found = parseLink(name);
      if (!found) throw new Problem({ status: -1, code: 'validation_failed', fields: [{ pointer: '/name', code: 'drop_name' }] });
      hand(found);
    }}>
      <div onPaste={(event: TargetedClipboardEvent<HTMLDivElement>) => {
        // A whole link says everything.
        if (!parseLink(event.clipboardData?.getData('text') ?? '')?.secret) return;
        const { form } = event.currentTarget.querySelector('input')!;
        setTimeout(() => form!.requestSubmit());
      }}>
        <Field name="name" label={t('name')} hint={hint} value={value} autoFocus={autoFocus} required secret autoComplete="off" spellcheck={false} inputMode="text" maxLength={500} />
      </div>
    </Form>
  );
}

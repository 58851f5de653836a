// The form for a one-time code: six digits that an app shows, or that were sent.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { serverNow } from './api';
import { Code, digits, Form, useWait } from './form';
import { duration } from './i18n';
import { Icon } from './icon';
import { asProblem, Problem, say } from './problem';
import { t } from './words';

interface CodeFormProps {
  label: string;
  hint?: ComponentChildren;
  submit: string;
  // Throws a Problem when the server refuses.
  onCode: (code: string) => Promise<void>;
  // Of a code that is sent: what sends another one, and from when on it may.
  again?: { at?: string; send: () => Promise<{ resend_at: string }> };
  onCancel?: () => void;
  autoFocus?: boolean;
}

// CodeForm sends the code by itself once it has six digits, each code once: a person who
// wants the same one judged again presses the button.
export function CodeForm({ label, hint, submit, onCode, again, onCancel, autoFocus }: CodeFormProps) {
  const box = useRef<HTMLDivElement>(null);
  const sent = useRef('');
  const input = () => box.current!.querySelector('input')!;

  function typed() {
    const code = digits(input().value);
    if (/^\d{6}$/.test(code) && code !== sent.current) input().form!.requestSubmit();
  }

  // A copied code may have spaces, a hyphen or a line's end around its digits.
  function paste(event: ClipboardEvent) {
    const code = (event.clipboardData?.getData('text') ?? '').replace(/\D/g, '');
    if (code.length !== 6) return;
    event.preventDefault();
    input().value = code;
    typed();
  }

  return (
    <Form submit={submit} onCancel={onCancel} onSubmit={async (v) => {
      sent.current = digits(v.code);
      try {
        await onCode(sent.current);
      } catch (err) {
        setTimeout(() => box.current && typed()); // another code may have been typed meanwhile
        throw err;
      }
    }}>
      <div ref={box} onInput={typed} onPaste={paste} onFocusIn={() => input().select()}>
        <Code label={label} hint={hint} autoFocus={autoFocus} />
      </div>
      {again && <Another again={again} onSent={() => {
        sent.current = '';
        input().value = '';
        input().focus();
      }} />}
    </Form>
  );
}

// Another sends another code, and counts down to when it may. The button keeps the focus
// while it waits.
function Another({ again, onSent }: { again: NonNullable<CodeFormProps['again']>; onSent: () => void }) {
  const [at, setAt] = useState(again.at);
  const [wait, setWait] = useWait();
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => setAt(again.at), [again.at]);
  useEffect(() => {
    if (at) setWait(Math.max(0, Math.ceil((Date.parse(at) - serverNow()) / 1000)));
  }, [at]);

  async function send() {
    if (wait > 0 || busy) return;
    setBusy(true);
    setDone(false);
    setProblem(undefined);
    try {
      setAt((await again.send()).resend_at);
      setDone(true);
      onSent();
    } catch (err) {
      const p = asProblem(err);
      if (p.retryAfter) setWait(p.retryAfter);
      // Of this call the code says that no more codes are sent.
      setProblem(p.code === 'code_expired' ? new Problem({ status: p.status, code: 'no_more_codes' }) : p);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="another">
      <button type="button" class="link" aria-disabled={wait > 0 || busy} onClick={send}>
        {wait > 0 ? t('anotherWait', { time: duration(wait) }) : t('another')}
      </button>
      <p class="hint" role="status">{done && <><Icon name="check" /> {t('anotherSent')}</>}</p>
      {problem && problem.code !== 'cancelled' && <p class="error" role="alert"><Icon name="warning" /> {say(problem)}</p>}
    </div>
  );
}

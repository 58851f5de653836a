// Forms: labels, hints and problems that stand next to their fields and are told to
// screen readers; a summary that takes the focus when the server refuses.
import { createContext, type ComponentChildren, type TargetedInputEvent } from 'preact';
import { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { dateTime, duration } from './i18n';
import { Icon } from './icon';
import { giveBack } from './typed';
import { asProblem, fieldName, Problem, say, sayField, sayWait } from './problem';
import { Remedy } from './remedy';
import { t } from './words';

const Refused = createContext<Problem | undefined>(undefined);

export type Values = Record<string, string>;

interface FormProps {
  // Throws a Problem when the server refuses.
  onSubmit: (values: Values) => Promise<void>;
  submit: string;
  children: ComponentChildren;
  danger?: boolean;
  onCancel?: () => void;
  // More beside the submit button.
  extra?: ComponentChildren;
  wide?: boolean;
  // Another form of the page is the main one.
  quiet?: boolean;
  icon?: Icon; // of the submit button
  focus?: boolean; // the submit button takes it
  // Names what the form asks for. A problem is over when that changes.
  asks?: string;
}

export function Form({ onSubmit, submit, children, danger, onCancel, extra, wide, quiet, icon, focus, asks }: FormProps) {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [wait, setWait] = useWait();
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  useEffect(() => setProblem(undefined), [asks]);
  useLayoutEffect(() => {
    giveBack(form.current!);
    if (focus) form.current!.querySelector<HTMLElement>('[type=submit]')!.focus();
  }, []);

  async function send(event: SubmitEvent) {
    event.preventDefault();
    if (busy || wait > 0) return;
    const values: Values = {};
    for (const [name, value] of new FormData(form.current!)) if (typeof value === 'string') values[name] = value;
    setBusy(true);
    try {
      await onSubmit(values);
      setProblem(undefined);
    } catch (err) {
      const p = asProblem(err);
      // Who takes a question back knows it.
      setProblem(p.code === 'cancelled' ? undefined : p);
      if (p.status === 429 && p.retryAfter) setWait(p.retryAfter);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Refused.Provider value={problem}>
      <form ref={form} class={wide ? 'form form-wide' : 'form'} onSubmit={send} id={id} aria-busy={busy}>
        {problem && <Summary problem={problem} form={form} wait={wait} />}
        {children}
        <div class="form-actions">
          <button type="submit" data-first={focus} class={danger ? 'button danger' : quiet ? 'button' : 'button primary'} disabled={wait > 0} aria-disabled={busy}>
            {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
            {wait > 0 ? t('waitButton', { time: duration(wait) }) : submit}
          </button>
          {onCancel && <button type="button" class="button" onClick={onCancel}>{t('cancel')}</button>}
          {extra}
        </div>
      </form>
    </Refused.Provider>
  );
}

// Summary says what went wrong and leads to each field that was refused. What is wrong with a
// field stands beside the field alone.
function Summary({ problem, form, wait }: { problem: Problem; form: { current: HTMLFormElement | null }; wait: number }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [problem]);
  const fields = problem.fields.map((f) => {
    const input = form.current?.elements.namedItem(fieldName(f.pointer));
    return { text: sayField(f), input: input instanceof HTMLElement ? input : undefined };
  });
  return (
    <div class="notice bad" role="alert" tabIndex={-1} ref={box}>
      <Icon name="warning" />
      <div>
        <p>{wait > 0 ? sayWait(wait) : say(problem)}<Remedy problem={problem} /></p>
        {fields.length > 0 && (
          <ul>
            {fields.map(({ text, input }) => (
              <li key={text}>
                {input ? <button type="button" class="link" onClick={() => input.focus()}>{labelOf(input)}</button> : text}
              </li>
            ))}
          </ul>
        )}
        {problem.status >= 500 && problem.requestId && <p class="small id">{t('report', { id: problem.requestId })}</p>}
      </div>
    </div>
  );
}

function labelOf(input: HTMLElement): string {
  return (input as HTMLInputElement).labels?.[0]?.textContent ?? '';
}

// useWait counts down seconds.
export function useWait(): [number, (seconds: number) => void] {
  const [left, setLeft] = useState(0);
  const end = useRef(0); // a tab in the background counts late
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(Math.max(0, Math.ceil((end.current - Date.now()) / 1000))), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return [left, (seconds) => {
    end.current = Date.now() + seconds * 1000;
    setLeft(seconds);
  }];
}

interface FieldProps {
  name: string;
  label: string;
  hint?: ComponentChildren;
  type?: 'text' | 'email' | 'date';
  min?: string; // of a date, as max
  max?: string;
  value?: string;
  required?: boolean;
  autoComplete?: string;
  autoFocus?: boolean;
  inputMode?: 'numeric' | 'email' | 'tel' | 'text';
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  spellcheck?: boolean;
  class?: string;
  secret?: boolean; // is never kept
  selectName?: boolean; // selects the part of a file name before its extension
  onInput?: (value: string) => void;
}

export function Field(props: FieldProps) {
  const { name, label, onInput, selectName, autoFocus, secret, class: extra, value, type, hint: _, ...rest } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const error = useFieldError(name);
  const hint = error ? undefined : props.hint; // the refusal says it again
  useLayoutEffect(() => {
    if (!autoFocus) return;
    input.current!.focus();
    if (selectName) {
      const dot = (value ?? '').lastIndexOf('.');
      input.current!.setSelectionRange(0, dot > 0 ? dot : (value ?? '').length);
    }
  }, []);
  return (
    <div class={'field ' + (extra ?? '')}>
      <label for={id}>{label}</label>
      <input {...rest} ref={input} id={id} name={name} data-first={autoFocus || undefined} data-secret={secret ? '' : undefined} defaultValue={value} type={(type ?? 'text') as 'text'}
        aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, hint, error)}
        onInput={onInput && ((event: TargetedInputEvent<HTMLInputElement>) => onInput(event.currentTarget.value))} />
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

export function TextArea({ name, label, hint, value, maxLength }: FieldProps) {
  const id = useId();
  const error = useFieldError(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} name={name} defaultValue={value} rows={3} maxLength={maxLength}
        aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, hint, error)} />
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

export function Select({ name, label, hint, value, options }: FieldProps & { options: Record<string, string> }) {
  const id = useId();
  const error = useFieldError(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} aria-describedby={describedBy(id, hint, error)}>
        {Object.entries(options).map(([key, text]) => <option key={key} value={key} selected={key === value}>{text}</option>)}
      </select>
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

// Password never hinders paste or a password manager.
export function Password(props: Pick<FieldProps, 'name' | 'label' | 'value' | 'hint' | 'required' | 'autoFocus' | 'onInput'> & { autoComplete: 'current-password' | 'new-password' }) {
  const { name, label, value, hint, onInput, autoFocus, ...rest } = props;
  const [shown, setShown] = useState(false);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const error = useFieldError(name);
  useLayoutEffect(() => {
    if (value) input.current!.value = value; // not as an attribute, which stands in the page's text
    if (autoFocus) input.current!.focus();
  }, []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="with-button">
        <input {...rest} ref={input} id={id} name={name} data-first={autoFocus || undefined} data-secret="" type={(shown ? 'text' : 'password') as 'password'} autoCapitalize="none" spellcheck={false}
          aria-invalid={error ? true : undefined} aria-describedby={describedBy(id, hint, error)}
          onInput={onInput && ((event: TargetedInputEvent<HTMLInputElement>) => onInput(event.currentTarget.value))} />
        <button type="button" class="icon-button" aria-pressed={shown} aria-label={t('showPassword')} title={t('showPassword')} onClick={() => setShown(!shown)}>
          <Icon name={shown ? 'eyeOff' : 'eye'} />
        </button>
      </div>
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

// Code is for six digits that were mailed or that an app shows.
export function Code({ name = 'code', label, hint, autoFocus }: { name?: string; label: string; hint?: ComponentChildren; autoFocus?: boolean }) {
  return (
    <Field name={name} label={label} hint={hint} autoFocus={autoFocus} required secret class="code" inputMode="numeric"
      autoComplete="one-time-code" pattern="[0-9 ]*" maxLength={12} spellcheck={false} />
  );
}

// digits drops the spaces that people and mail programs put into codes.
export function digits(code: string | undefined): string {
  return (code ?? '').replace(/\s/g, '');
}

export function Check({ name, label, hint, checked }: { name: string; label: string; hint?: string; checked?: boolean }) {
  const id = useId();
  return (
    <div class="check">
      <input type="checkbox" id={id} name={name} defaultChecked={checked} aria-describedby={hint && id + '-hint'} />
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={id + '-hint'}>{hint}</p>}
    </div>
  );
}

function useFieldError(name: string): string | undefined {
  const problem = useContext(Refused);
  const field = problem?.fields.find((f) => fieldName(f.pointer) === name);
  return field && sayField(field);
}

function describedBy(id: string, hint: unknown, error: unknown): string | undefined {
  return [hint && id + '-hint', error && id + '-error'].filter(Boolean).join(' ') || undefined;
}

function Below({ id, hint, error }: { id: string; hint: ComponentChildren; error: string | undefined }) {
  return (
    <>
      {hint && <div class="hint" id={id + '-hint'}>{hint}</div>}
      {error && <p class="error" id={id + '-error'}><Icon name="warning" /> {error}</p>}
    </>
  );
}

export function Time({ at, children }: { at: string; children: ComponentChildren }) {
  return <time dateTime={at} title={dateTime(at)}>{children}</time>;
}

// The parts of pages: dialogs, menus, toasts, loading, empty and error states.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { me } from './auth';
import { Form } from './form';
import { Icon } from './icon';
import { asProblem, type Problem, say } from './problem';
import { Remedy } from './remedy';
import { path } from './router';
import { t } from './words';

// ---- loading -----------------------------------------------------------------------

export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  reload: () => Promise<void>;
  set: (data: T) => void;
}

// useLoad runs work at the first render and whenever a dependency changes; a late
// answer to an older question is dropped.
export function useLoad<T>(work: (signal: AbortSignal) => Promise<T>, deps: unknown[]): Loaded<T> {
  const [data, set] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef<AbortController | undefined>(undefined);
  const reload = useCallback(async () => {
    running.current?.abort();
    const mine = (running.current = new AbortController());
    try {
      const fresh = await work(mine.signal);
      if (mine.signal.aborted) return;
      set(fresh);
      setProblem(undefined);
    } catch (err) {
      if (!mine.signal.aborted) setProblem(asProblem(err));
    }
  }, deps);
  useEffect(() => {
    set(undefined);
    setProblem(undefined);
    void reload();
    return () => running.current?.abort();
  }, [reload]);
  return { data, problem, reload, set };
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{t('loading')}</span>
      {Array.from({ length: rows }, (_, i) => <div key={i} class="skeleton-row" aria-hidden="true" />)}
    </div>
  );
}

export function Failed({ problem, retry }: { problem: Problem; retry?: () => unknown }) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>{say(problem)}<Remedy problem={problem} /></p>
        {problem.requestId && problem.status >= 500 && <p class="small id">{t('report', { id: problem.requestId })}</p>}
        {retry && <button type="button" class="button" onClick={retry}><Icon name="retry" /> {t('again')}</button>}
      </div>
    </div>
  );
}

export function Empty({ icon, title, page, children }: { icon: Icon; title: string; page?: boolean; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon"><Icon name={icon} /></span>
      {page ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  );
}

// useEnd returns a signal that ends with the component.
export function useEnd(): AbortSignal {
  const controller = useRef<AbortController | undefined>(undefined);
  controller.current ??= new AbortController();
  useEffect(() => () => controller.current!.abort(), []);
  return controller.current.signal;
}

// ---- toasts ------------------------------------------------------------------------

interface Note {
  id: number;
  text: string;
  bad: boolean;
  page: string;
  act?: Act;
  problem?: Problem;
}

// An Act is what a toast offers to do, such as to undo what it tells of.
export interface Act {
  label: string;
  run: () => unknown;
}

const notes = signal<Note[]>([]);
let noteId = 0;

// toast says something about the page that is shown, and ends with it: a caller that leads to
// another page goes there first.
export function toast(text: string, bad = false, act?: Act, problem?: Problem): void {
  const id = ++noteId;
  notes.value = [...notes.value.slice(-2), { id, text, bad, page: path.value, act, problem }];
  // A failure stays until it is read.
  if (!bad) fade(id, act ? 15_000 : 6000);
}

// fade takes a toast away, but not from under a pointer or the focus.
function fade(id: number, after: number): void {
  setTimeout(() => (document.querySelector(`.toast[data-id="${id}"]:is(:hover, :focus-within)`) ? fade(id, 2000) : dismiss(id)), after);
}

export function toastProblem(err: unknown): void {
  const problem = asProblem(err);
  if (problem.code !== 'cancelled') toast(say(problem), true, undefined, problem);
}

function dismiss(id: number): void {
  notes.value = notes.value.filter((n) => n.id !== id);
}

// Copy puts a text into the clipboard, and says so.
export function Copy({ text, label = t('copy') }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button type="button" class="button" onClick={async () => {
      try {
        await navigator.clipboard.writeText(text);
        setCopied(true);
      } catch {
        toast(t('copyFailed'), true);
      }
    }}>
      <Icon name={copied ? 'check' : 'copy'} /> <span aria-live="polite">{copied ? t('copied') : label}</span>
    </button>
  );
}

export function Toasts() {
  const here = path.value;
  useEffect(() => {
    notes.value = notes.value.filter((n) => n.page === here);
  }, [here]);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {notes.value.filter((n) => n.page === here).map((n) => (
        <div key={n.id} data-id={n.id} class={n.bad ? 'toast bad' : 'toast'}>
          <Icon name={n.bad ? 'warning' : 'check'} />
          <p>{n.text}{n.problem && <Remedy problem={n.problem} />}</p>
          {n.act && <button type="button" class="toast-act" onClick={() => {
            // The button goes: the focus stays on the page.
            document.getElementById('main')?.focus({ preventScroll: true });
            dismiss(n.id);
            n.act!.run();
          }}>{n.act.label}</button>}
          <button type="button" class="icon-button" aria-label={t('dismiss')} onClick={() => dismiss(n.id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}

// ---- dialogs -----------------------------------------------------------------------

interface DialogProps {
  title: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
  sheet?: boolean; // comes up from the lower edge, within reach of a thumb
  class?: string;
  buttons?: ComponentChildren; // beside the one that closes
  onKeyDown?: (event: KeyboardEvent) => void;
}

// Dialog is the platform's own modal: it traps the focus, closes with Escape and
// gives the focus back to where it was.
export function Dialog({ title, onClose, children, sheet, class: extra, buttons, onKeyDown }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Elements inside cannot take the focus before the dialog is open.
  useLayoutEffect(() => {
    const dialog = box.current!;
    const before = document.activeElement;
    dialog.showModal();
    (dialog.querySelector<HTMLElement>('[data-first]') ?? dialog.querySelector('h2')!).focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={'dialog' + (sheet ? ' sheet' : '') + (extra ? ' ' + extra : '')} aria-labelledby={id} onKeyDown={onKeyDown} onCancel={(event) => {
      event.preventDefault();
      onClose();
    }} onClick={(event) => {
      if (sheet && event.target === box.current) onClose();
    }}>
      <div class="dialog-head">
        <h2 id={id} tabIndex={-1}>{title}</h2>
        {buttons}
        <button type="button" class="icon-button" aria-label={t('close')} onClick={onClose}><Icon name="close" /></button>
      </div>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  action: string;
  // false: something is left to ask.
  onConfirm: () => Promise<void | false>;
  onClose: () => void;
}

export function Confirm({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Form submit={action} danger onCancel={onClose} onSubmit={async () => {
        if ((await onConfirm()) !== false) onClose();
      }}>
        <div class="prose">{children}</div>
      </Form>
    </Dialog>
  );
}

// ask opens a dialog from code that is not a component, and settles when it closes. It closes when the
// person who saw it is no longer signed in.
type Asked = (close: () => void) => ComponentChildren;
const asked = signal<{ id: number; of?: string; view: Asked; close: () => void }[]>([]);
let askId = 0;

export function ask(view: Asked): Promise<void> {
  return new Promise((resolve) => {
    const id = ++askId;
    const close = () => {
      asked.value = asked.value.filter((a) => a.id !== id);
      resolve();
    };
    asked.value = [...asked.value, { id, of: me()?.id, view, close }];
  });
}

export function Dialogs() {
  const person = me()?.id;
  const over = asked.value.filter((a) => a.of !== undefined && a.of !== person);
  useEffect(() => {
    for (const a of over) a.close();
  }, [over.length]);
  return <>{asked.value.filter((a) => !over.includes(a)).map((a) => <div key={a.id}>{a.view(a.close)}</div>)}</>;
}

// ---- menus -------------------------------------------------------------------------

export interface MenuItem {
  icon: Icon;
  label: string;
  run?: () => void;
  href?: string; // leads there, in place of run
  leave?: boolean; // the address is no page of the app
  danger?: boolean;
  keys?: string;
}

interface MenuProps {
  label: string;
  items: MenuItem[];
  children: ComponentChildren;
  class?: string;
  tabIndex?: number;
}

// Menu is a menu button: arrows move, Escape closes, a letter jumps.
export function Menu({ label, items, children, class: extra, tabIndex }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    if (!open) return;
    const box = list.current!;
    box.showPopover();
    place(box, button.current!);
    entries(box)[0]?.focus();
    const follow = () => place(box, button.current!);
    addEventListener('scroll', follow, { capture: true, passive: true });
    addEventListener('resize', follow);
    return () => {
      removeEventListener('scroll', follow, { capture: true });
      removeEventListener('resize', follow);
    };
  }, [open]);

  function close() {
    setOpen(false);
    button.current?.focus();
  }

  function key(event: KeyboardEvent) {
    event.stopPropagation();
    const all = entries(list.current!);
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = event.key === 'ArrowDown' ? (at + 1) % all.length
      : event.key === 'ArrowUp' ? (at - 1 + all.length) % all.length
      : event.key === 'Home' ? 0
      : event.key === 'End' ? all.length - 1
      : event.key.length === 1 ? all.findIndex((e, i) => i !== at && e.textContent!.trim().toLowerCase().startsWith(event.key.toLowerCase()))
      : -1;
    if (event.key === 'Escape' || event.key === 'Tab') {
      if (event.key === 'Escape') event.preventDefault();
      close();
    } else if (to >= 0 && event.key !== ' ') {
      event.preventDefault();
      all[to]!.focus();
    }
  }

  return (
    <>
      <button type="button" ref={button} class={extra ?? 'icon-button'} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined}
        aria-label={label} title={label} tabIndex={tabIndex} onClick={(event) => {
          event.stopPropagation();
          setOpen(!open);
        }} onKeyDown={(event) => {
          if (event.key === 'ArrowDown' && !open) {
            event.preventDefault();
            event.stopPropagation();
            setOpen(true);
          }
        }}>
        {children}
      </button>
      {open && (
        <div ref={list} id={id} class="menu" role="menu" aria-label={label} popover="auto" onKeyDown={key} onClick={(event) => {
            // A link goes on to the router.
            if (!(event.target as Element).closest('a')) event.stopPropagation();
          }}
          onToggle={(event) => {
            if ((event as unknown as ToggleEvent).newState === 'closed') setOpen(false);
          }}>
          {items.map((item) => <Item key={item.label} item={item} close={close} role="menuitem" />)}
        </div>
      )}
    </>
  );
}

// Item is one line of a menu or of a sheet: a link, or a button.
export function Item({ item, close, role }: { item: MenuItem; close: () => void; role?: 'menuitem' }) {
  const inside = <><Icon name={item.icon} /> <span>{item.label}</span> {item.keys && <kbd aria-hidden="true">{item.keys}</kbd>}</>;
  const same = { class: item.danger ? 'menu-item danger' : 'menu-item', role, tabIndex: role && -1 };
  if (item.href !== undefined) return <a {...same} href={item.href} data-leave={item.leave ? '' : undefined} onClick={close}>{inside}</a>;
  return (
    <button {...same} type="button" onClick={() => {
      close();
      item.run!();
    }}>
      {inside}
    </button>
  );
}

function entries(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>('[role^=menuitem]')];
}

// place puts the menu under its button, or above it where there is no room; their outer edges
// meet.
function place(box: HTMLElement, anchor: HTMLElement): void {
  const a = anchor.getBoundingClientRect();
  const b = box.getBoundingClientRect();
  const edge = 8;
  const top = a.bottom + 4 + b.height > innerHeight - edge ? a.top - 4 - b.height : a.bottom + 4;
  const left = a.right < innerWidth / 2 ? a.left : Math.min(a.right - b.width, innerWidth - b.width - edge);
  box.style.top = Math.max(edge, top) + 'px';
  box.style.left = Math.max(edge, left) + 'px';
}

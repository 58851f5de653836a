// A look at files without saving them: one after the other, in a dialog. The page shows the bytes
// from an address of its own that ends with the look.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { size } from './i18n';
import { Icon } from './icon';
import { iconOf, isPdf, kindOf, textOf, type Kind } from './kinds';
import { Name } from './name';
import { asProblem, say, type Problem } from './problem';
import type { EntryDeed } from './room';
import { Dialog } from './ui';
import { t } from './words';

// The members of a file that a preview needs.
export interface Shown {
  id: string;
  name: string;
  kind: string;
  size: number;
  media_type?: string;
  modified_at: string;
  damaged?: boolean;
}

interface PreviewProps<E extends Shown> {
  items: readonly E[]; // folders among them are passed over
  id: string; // the one to begin with
  more: (() => unknown) | undefined; // there is more to read
  read: Read<E>;
  price?: (entry: E) => string | undefined; // what the look costs: the person is asked first
  onSave: (entry: E) => void;
  deeds?: (entry: E) => EntryDeed[];
  onClose: (last: string) => void;
}

// A Read answers the content of a file, whose body is not read yet.
type Read<E> = (entry: E, signal: AbortSignal) => Promise<Response>;

export function Preview<E extends Shown>({ items, id, more, read, price, onSave, deeds, onClose }: PreviewProps<E>) {
  const [shown, setShown] = useState(id);
  const [last, setLast] = useState(() => items.find((e) => e.id === id)!); // stays when the list loses it
  const files = items.filter((e) => e.kind === 'file');
  const at = files.findIndex((e) => e.id === shown);
  const entry = files[at] ?? last;

  function move(by: number) {
    const to = files[at + by];
    if (at < 0 || !to) return;
    setShown(to.id);
    setLast(to);
    if (at + by >= files.length - 2) more?.();
  }

  function key(event: KeyboardEvent) {
    // In a player the arrows move in time.
    if (event.altKey || event.ctrlKey || event.metaKey || (event.target as Element).closest('audio, video')) return;
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    move(by);
  }

  const turn = (by: number, label: string, icon: 'back' | 'chevron') => (
    <button type="button" class="icon-button" aria-label={label} title={label} aria-disabled={files[at + by] === undefined} onClick={() => move(by)}><Icon name={icon} /></button>
  );
  return (
    <Dialog class="preview" title={<Name name={entry.name} read />} onClose={() => onClose(entry.id)} onKeyDown={key} buttons={(
      <>
        {files.length > 1 && at >= 0 && (
          <div class="preview-turn">
            {turn(-1, t('previous'), 'back')}
            <span class="hint" aria-live="polite"><span class="hidden">{entry.name}: </span>{more ? t('nth', { n: at + 1 }) : t('nthOf', { n: at + 1, count: files.length })}</span>
            {turn(1, t('next'), 'chevron')}
          </div>
        )}
        {deeds?.(entry).map((deed) => <button key={deed.label} type="button" class="icon-button" aria-label={deed.label} title={deed.label} onClick={deed.run}><Icon name={deed.icon} /></button>)}
        <button type="button" class="icon-button" aria-label={t('downloadOf', { name: entry.name })} title={t('download')} onClick={() => onSave(entry)}><Icon name="download" /></button>
      </>
    )}>
      <Look key={entry.id + entry.modified_at} entry={entry} read={read} price={price?.(entry)} onSave={() => onSave(entry)} />
    </Dialog>
  );
}

type Content = { url: string } | { text: string };

interface LookProps<E> {
  entry: E;
  read: Read<E>;
  price: string | undefined;
  onSave: () => void;
}

function Look<E extends Shown>({ entry, read, price, onSave }: LookProps<E>) {
  const kind = kindOf(entry);
  const small = kind && entry.size <= kind.most;
  const [content, setContent] = useState<Content>();
  const [broken, setBroken] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [have, setHave] = useState(0);
  const [cost] = useState(price); // it changes when it is paid
  const [paid, pay] = useState(cost === undefined);

  useEffect(() => {
    if (!small || entry.damaged || !paid) return;
    const stop = new AbortController();
    let url: string | undefined;
    load(read(entry, stop.signal), kind, setHave).then((it) => {
      if (stop.signal.aborted) return;
      if (!it) return setBroken(true);
      if ('blob' in it) setContent({ url: (url = URL.createObjectURL(it.blob)) });
      else setContent(it);
    }, (err) => stop.signal.aborted || setProblem(asProblem(err)));
    return () => {
      stop.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [paid]);

  const fail = () => setBroken(true);
  if (problem) return <Instead entry={entry} onSave={onSave} bad>{say(problem)}</Instead>;
  if (!kind || broken || (kind.shown === 'pdf' && !navigator.pdfViewerEnabled)) return <Instead entry={entry} onSave={onSave}>{t('noPreview')}</Instead>;
  if (!small) return <Instead entry={entry} onSave={onSave}>{t('tooLargeToShow', { size: size(entry.size) })}</Instead>;
  if (!paid) return <Instead entry={entry} onSave={onSave} onShow={() => pay(true)}>{cost}</Instead>;
  if (!content) {
    return (
      <div class="look" role="status">
        <span class="spinner" aria-hidden="true" /> <span class="hidden">{t('beingRead')}</span>
        {entry.size > 2_000_000 && <progress value={have} max={entry.size} aria-label={t('readingOf', { name: entry.name })} />}
      </div>
    );
  }
  if ('text' in content) return <pre class="look look-text" tabIndex={0} role="region" aria-label={t('contentsOf', { name: entry.name })}>{content.text}</pre>;
  switch (kind.shown) {
    case 'image': return <div class="look"><img src={content.url} alt={entry.name} onError={fail} /></div>;
    case 'audio': return <div class="look"><Icon name="audio" class="look-icon" /><audio controls src={content.url} aria-label={entry.name} onError={fail} /></div>;
    case 'video': return <div class="look"><video controls playsInline src={content.url} aria-label={entry.name} onError={fail} /></div>;
    default: return <Paper url={content.url} name={entry.name} />;
  }
}

// Paper shows a PDF. The browser's viewer takes the focus by itself when it cannot show one, and the
// keys of the dialog would end with that. The dialog takes the focus back once, unless the person has
// gone into the viewer with Tab or the pointer.
function Paper({ url, name }: { url: string; name: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    let last = document.activeElement;
    let tab = false;
    let pointed = false; // the pointer came from outside the viewer
    const key = (event: KeyboardEvent) => { tab = event.key === 'Tab'; };
    // The browser tells of a pointer that lies still, too, when what is under it changes.
    let at: string | undefined;
    const point = ({ clientX, clientY }: PointerEvent) => {
      const now = `${clientX} ${clientY}`;
      pointed ||= at !== undefined && at !== now;
      at = now;
    };
    const came = (event: FocusEvent) => {
      tab = false;
      if (event.target !== frame.current) last = event.target as Element;
    };
    const left = () => {
      if (document.activeElement !== frame.current || tab || (pointed && frame.current!.matches(':hover'))) return;
      removeEventListener('blur', left);
      const to = last instanceof HTMLElement && last.isConnected ? last : frame.current!.closest('dialog')!.querySelector('h2')!;
      setTimeout(() => to.focus()); // the browser is still moving the focus
    };
    document.addEventListener('keydown', key, true);
    document.addEventListener('pointermove', point);
    document.addEventListener('focusin', came);
    addEventListener('blur', left);
    return () => {
      document.removeEventListener('keydown', key, true);
      document.removeEventListener('pointermove', point);
      document.removeEventListener('focusin', came);
      removeEventListener('blur', left);
    };
  }, []);
  return <iframe ref={frame} class="look" src={url + '#navpanes=0'} title={name} />;
}

// load reads a file as what its kind is, and as nothing else; undefined: it is not that.
async function load(opened: Promise<Response>, kind: Kind, seen: (bytes: number) => void): Promise<{ blob: Blob } | { text: string } | undefined> {
  const response = await opened;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (const reader = response.body!.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    seen(bytes += value.length);
  }
  const blob = new Blob(parts, { type: kind.type });
  if (kind.shown === 'text') {
    const text = textOf(new Uint8Array(await blob.arrayBuffer()));
    return text === undefined ? undefined : { text };
  }
  if (kind.shown === 'pdf' && !isPdf(new Uint8Array(await blob.slice(0, 1024).arrayBuffer()))) return undefined;
  return { blob };
}

interface InsteadProps {
  entry: Shown;
  onSave: () => void;
  onShow?: () => void;
  children: ComponentChildren;
  bad?: boolean;
}

function Instead({ entry, onSave, onShow, children, bad }: InsteadProps) {
  const icon = iconOf(entry);
  return (
    <div class="look look-instead">
      <Icon name={icon} class={'look-icon kind-' + icon} />
      <p role={bad ? 'alert' : undefined}>{children}</p>
      <p class="hint">{size(entry.size)}</p>
      <div class="card-buttons">
        {onShow && <button type="button" class="button" onClick={onShow}><Icon name="eye" /> {t('show')}</button>}
        <button type="button" class="button primary" onClick={onSave}><Icon name="download" /> {t('download')}</button>
      </div>
    </div>
  );
}

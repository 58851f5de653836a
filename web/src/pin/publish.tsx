// The dialog "Publish" of an entry: its pins, and the form that makes one.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, type Answer } from '../shell/api';
import { Form } from '../shell/form';
import { Icon } from '../shell/icon';
import { Problem } from '../shell/problem';
import type { Entry } from '../shell/room';
import { ask, Dialog, Failed, Skeleton, useLoad } from '../shell/ui';
import { PinRow } from './pin-row';
import { changed, nameOf, targets, useChanges, type Pin } from './pins';
import { t } from './words';

// The members of an entry that its dialog needs.
export type Published = Pick<Entry, 'id' | 'kind' | 'name'>;

export const askPublish = (entry: Published): Promise<void> => ask((close) => <Publish entry={entry} onClose={close} />);

function Publish({ entry, onClose }: { entry: Published; onClose: () => void }) {
  const [making, setMaking] = useState(false);
  const [fresh, setFresh] = useState<string>();
  const { data, problem, reload } = useLoad((signal) => every(entry.id, signal), [entry.id]);
  const box = useRef<HTMLDivElement>(null);
  const count = useChanges();
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current === count) return;
    seen.current = count;
    void reload();
  }, [count]);
  useEffect(() => {
    const row = fresh && box.current?.querySelector<HTMLElement>(`[data-pin="${fresh}"] .pin-name`);
    if (row) {
      row.focus();
      setFresh(undefined);
    } else if (data && document.activeElement === document.body) {
      box.current!.closest('dialog')!.querySelector('h2')!.focus(); // the pin that had the focus is gone
    }
  }, [data, fresh]);

  const show = async (pin: Pin) => {
    setMaking(false);
    setFresh(pin.id);
    await reload();
    changed();
  };
  return (
    <Dialog title={t('publish')} class="pin-dialog" onClose={onClose}>
      <p class="long-name">{entry.name}</p>
      <div ref={box} class="pin-parts">
        {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : (
          <>
            {data.length === 0 && <Make entry={entry} onMade={show} />}
            {data.length > 0 && <ul class="pin-rows">{data.map((pin) => <PinRow key={pin.id} pin={pin} />)}</ul>}
            {data.length > 0 && <div><button type="button" class="button" onClick={() => setMaking(true)}><Icon name="plus" /> {t('another')}</button></div>}
          </>
        )}
      </div>
      {making && (
        <Dialog title={t('another')} class="pin-dialog" onClose={() => setMaking(false)}>
          <Make entry={entry} onMade={show} onCancel={() => setMaking(false)} />
        </Dialog>
      )}
    </Dialog>
  );
}

function Make({ entry, onMade, onCancel }: { entry: Published; onMade: (pin: Pin) => Promise<void>; onCancel?: () => void }) {
  const [open, setOpen] = useState(false);
  const all = targets.value;
  const folder = entry.kind === 'folder';
  const choice = (to: boolean, title: string, text: string) => (
    <label class="pin-option">
      <input type="radio" name="encrypt" value={to ? 'no' : 'yes'} checked={open === to} onChange={() => setOpen(to)} />
      <span><strong>{title}</strong><span class="hint">{text}</span></span>
    </label>
  );
  return (
    <Form submit={t(open ? 'publishOpen' : 'publishSealed')} icon="globe" danger={open} onCancel={onCancel} onSubmit={async (values) => {
      const chosen = all.filter(({ name }) => all.length === 1 || values['to ' + name] !== undefined).map(({ name }) => name);
      if (chosen.length === 0) throw new Problem({ status: 422, code: 'validation_failed', fields: [{ pointer: '/targets', code: 'pin_target' }] });
      await onMade(await post('/files/{id}/pins', { path: { id: entry.id }, body: { encrypt: !open, targets: chosen } }));
    }}>
      <p>{t(folder ? 'makeFolder' : 'makeFile')}</p>
      <fieldset class="pin-options">
        <legend>{t('readers')}</legend>
        {choice(false, t('sealed'), t('sealedText'))}
        {choice(true, t('open'), t('openText'))}
      </fieldset>
      {open && (
        <div class="notice bad">
          <Icon name="warning" />
          <div>
            <p>{t(folder ? 'forEverFolder' : 'forEver')}</p>
            <label class="pin-sure"><input type="checkbox" name="sure" required /> {t('sure')}</label>
          </div>
        </div>
      )}
      {all.length === 1 ? <p class="hint">{t('toOne', { name: nameOf(all[0]!.name) })}</p> : (
        <fieldset class="pin-targets">
          <legend>{t('to')}</legend>
          {all.map(({ name }) => <label key={name}><input type="checkbox" name={'to ' + name} defaultChecked /> {nameOf(name)}</label>)}
        </fieldset>
      )}
      <p class="hint">{t('copyText')}</p>
    </Form>
  );
}

async function every(id: string, signal: AbortSignal): Promise<Pin[]> {
  const all: Pin[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer<'get', '/pins'> = await get('/pins', { query: { file: id, cursor, limit: 200 }, signal });
    all.push(...page.items);
    cursor = page.next_cursor || undefined;
  } while (cursor);
  return all;
}

// The section of the security page that lists the passkeys, and adds, renames and removes them.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { del, get, patch, post, type Answer } from '../shell/api';
import { Field, Form, Time } from '../shell/form';
import { ago, date } from '../shell/i18n';
import { Icon } from '../shell/icon';
import type { Lines, SecurityProps } from '../shell/room';
import { Confirm, Dialog, Failed, Menu, Skeleton, toast, useEnd, useLoad } from '../shell/ui';
import { Calm } from './calm';
import { make, unused, useObstacle } from './ceremony';
import { t } from './words';

type Passkey = Answer<'get', '/account/passkeys'>['items'][number];

type Wish = { kind: 'add' } | { kind: 'rename' | 'remove'; passkey: Passkey };

// beginAdding opens the dialog from another section of the page.
const wanted = signal(false);
export const beginAdding = () => void (wanted.value = true);

export function Section({ status }: SecurityProps) {
  const { data, problem, reload, set } = useLoad(async (signal) => (await get('/account/passkeys', { signal })).items, []);
  const [wish, setWish] = useState<Wish>();
  const blocked = useObstacle();
  const close = () => setWish(undefined);
  useEffect(() => {
    if (!wanted.value) return;
    wanted.value = false;
    if (!blocked) setWish({ kind: 'add' });
  }, [wanted.value]);
  // The lines of the page count passkeys, and so does what protects the account.
  const changed = async (items: Passkey[]) => {
    set(items);
    await status.reload();
  };
  return (
    <section class="card" aria-labelledby="passkeys">
      <div class="card-head">
        <div>
          <h2 id="passkeys">{t('passkeys')}</h2>
          <p class="hint">{t('text')}</p>
        </div>
        {data && !blocked && <button type="button" class="button" onClick={() => setWish({ kind: 'add' })}>{t('add')}</button>}
      </div>
      {blocked && <p class="notice"><Icon name="key" /> <span>{t(`cannot_${blocked}`)}</span></p>}
      {problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={2} /> : data.length === 0 ? !blocked && <p class="passkeys-none"><Icon name="key" /> {t('none')}</p> : (
        <ul class="passkeys">
          {data.map((p) => (
            <li key={p.id} class="passkey">
              <span class="passkey-icon"><Icon name="key" /></span>
              <div class="passkey-text">
                <p><strong title={p.name}>{p.name}</strong>{p.damaged && <> <span class="tag bad">{t('damaged')}</span></>}</p>
                <p class="hint">{traits(p)}</p>
                <p class="hint">
                  {p.last_used_at ? <>{t('lastUse')} <Time at={p.last_used_at}>{ago(p.last_used_at)}</Time></> : t('neverUsed')}
                  {'\u00a0· '}{t('since')} <Time at={p.created_at}>{date(p.created_at)}</Time>
                </p>
              </div>
              <Menu label={t('menu', { name: p.name })} items={[
                ...(p.damaged ? [] : [{ icon: 'pencil' as const, label: t('rename'), run: () => setWish({ kind: 'rename', passkey: p }) }]),
                { icon: 'trash', label: t('remove'), danger: true, run: () => setWish({ kind: 'remove', passkey: p }) },
              ]}>
                <Icon name="more" />
              </Menu>
            </li>
          ))}
        </ul>
      )}
      {wish?.kind === 'add' && <Add onClose={close} onAdded={async (passkey) => {
        close();
        toast(t('added', { name: passkey.name }));
        await changed([...(data ?? []), passkey]);
      }} />}
      {wish?.kind === 'rename' && (
        <Dialog title={t('renameTitle')} onClose={close}>
          <Form submit={t('save')} onCancel={close} onSubmit={async (v) => {
            const renamed = await patch('/account/passkeys/{id}', { path: { id: wish.passkey.id }, body: { name: v.name! } });
            close();
            set((data ?? []).map((p) => (p.id === renamed.id ? renamed : p)));
          }}>
            <Field name="name" label={t('name')} value={wish.passkey.name} required maxLength={longest} autoFocus selectName />
          </Form>
        </Dialog>
      )}
      {wish?.kind === 'remove' && (
        <Confirm title={t('removeTitle', { name: wish.passkey.name })} action={t('remove')} onClose={close} onConfirm={async () => {
          await del('/account/passkeys/{id}', { path: { id: wish.passkey.id } });
          toast(t('removed'));
          await changed((data ?? []).filter((p) => p.id !== wish.passkey.id));
        }}>
          <p>{t('removeText')}</p>
          <p>{wish.passkey.provider ? t('removeThere', { place: wish.passkey.provider }) : t('removeElse')}</p>
        </Confirm>
      )}
    </section>
  );
}

const longest = 64; // characters of a name

// Add makes a passkey. A closed question of the browser is no error: the dialog stays.
function Add({ onClose, onAdded }: { onClose: () => void; onAdded: (passkey: Passkey) => Promise<void> }) {
  const end = useEnd();
  const [none, setNone] = useState(false);
  return (
    <Dialog title={t('add')} onClose={onClose}>
      <p>{t('addText')}</p>
      <Form submit={t('make')} icon="key" onCancel={onClose} onSubmit={async (v) => {
        setNone(false);
        const options = await post('/account/passkeys/options');
        try {
          const credential = await make(options, end);
          const name = v.name!.trim();
          await onAdded(await post('/account/passkeys', { body: { credential, ...(name && { name }) } }));
        } catch (err) {
          if (!unused(err)) throw err;
          setNone(true);
        }
      }}>
        <Calm>{none && t('notMade')}</Calm>
        <Field name="name" label={t('name')} hint={t('nameHint')} maxLength={longest} autoFocus />
      </Form>
    </Dialog>
  );
}

// traits say where a passkey is kept, and whether it is on one device alone. Of a damaged one the
// server knows neither.
export function traits({ name, provider, synced, damaged }: Pick<Passkey, 'name' | 'provider' | 'synced' | 'damaged'>): string {
  if (damaged) return t('damagedText');
  return [provider && provider !== name ? provider : '', t(synced ? 'synced' : 'single')].filter(Boolean).join('\u00a0· ');
}

// PasskeysGo is what the page that deletes the account says of them.
export function PasskeysGo() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  const count = data?.passkeys?.left ?? 0;
  return count > 0 ? <li>{t('go', { count })}</li> : null;
}

// InSummary is what the summary of the security page says of them.
export function InSummary({ lines }: { lines: Lines }) {
  const count = lines.passkeys?.left ?? 0;
  return count > 0 ? <li><Icon name="key" /> {lines.password?.enabled === false ? t('inSummary', { count }) : t('orAlone', { count })}</li> : null;
}

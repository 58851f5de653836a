// Where the account is signed in: a section of the security page, and a page of its own.
import { useEffect, useState } from 'preact/hooks';
import { del, get, patch, type Answer } from '../shell/api';
import { Field, Form, Time } from '../shell/form';
import { useParent } from '../shell/frame';
import { ago, dateTime } from '../shell/i18n';
import { Icon } from '../shell/icon';
import { securityPage } from '../shell/room';
import { Confirm, Dialog, Failed, Menu, Skeleton, toast, useLoad } from '../shell/ui';
import { t } from './words';

type Device = Answer<'get', '/sessions/{id}'>;

type Wish = { kind: 'rename' | 'end'; device: Device } | { kind: 'endOthers' };

const first = 3; // devices on the security page

// Devices is the section: this device, and those that were used last.
export function Devices() {
  const { data, list, endOthers, dialogs } = useDevices(first);
  return (
    <section class="card" aria-labelledby="devices">
      <div class="card-head">
        <div>
          <h2 id="devices">{t('devices')}</h2>
          <p class="hint">{t('devicesText')}</p>
        </div>
        {endOthers}
      </div>
      {list}
      {data && <p><a href="/security/devices">{t('allDevices')}</a></p>}
      {dialogs}
    </section>
  );
}

// AllDevices is the page that lists them in full.
export function AllDevices() {
  const { list, endOthers, dialogs } = useDevices();
  const above = securityPage();
  useParent(above?.href, above?.label());
  return (
    <>
      <div class="card-head">
        <div>
          <h1>{t('devices')}</h1>
          <p class="hint">{t('devicesText')}</p>
        </div>
        {endOthers}
      </div>
      <section class="card" aria-label={t('devices')}>{list}</section>
      {dialogs}
    </>
  );
}

// useDevices gives the list of devices, up to `most`, and what can be done with them.
function useDevices(most = Infinity) {
  const { data, problem, reload } = useLoad((signal) => allDevices(signal), []);
  const [wish, setWish] = useState<Wish>();
  const close = () => setWish(undefined);
  useEffect(() => {
    const seen = () => document.visibilityState === 'visible' && void reload();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [reload]);
  const others = (data ?? []).filter((d) => !d.current).length;
  return {
    data,
    endOthers: others > 0 && <button type="button" class="button" onClick={() => setWish({ kind: 'endOthers' })}>{t('endOthers')}</button>,
    list: problem ? <Failed problem={problem} retry={reload} /> : !data ? <Skeleton rows={3} /> : (
      <ul class="devices">{data.slice(0, most).map((d) => <Row key={d.id} device={d} onWish={setWish} />)}</ul>
    ),
    dialogs: wish && <Asked wish={wish} others={others} close={close} reload={reload} />,
  };
}

function Row({ device: d, onWish }: { device: Device; onWish: (wish: Wish) => void }) {
  return (
    <li class="device">
      <span class="device-icon"><Icon name={/iPhone|iPad|Android/.test(nameOf(d)) ? 'phone' : 'device'} /></span>
      <div class="device-text">
        <p class="device-name"><strong title={nameOf(d)}>{nameOf(d)}</strong> {d.current && <span class="tag">{t('this')}</span>}</p>
        <p class="hint">{traits(d)}</p>
        <p class="hint">
          {t('lastUse')} <Time at={d.last_used_at}>{d.current ? t('now') : ago(d.last_used_at)}</Time>
          {'\u00a0· '}{t('firstUse')} <Time at={d.created_at}>{dateTime(d.created_at)}</Time>
        </p>
      </div>
      <Menu label={t('deviceMenu', { name: nameOf(d) })} items={[
        { icon: 'pencil', label: t('rename'), run: () => onWish({ kind: 'rename', device: d }) },
        ...(d.current ? [] : [{ icon: 'signOut' as const, label: t('end'), danger: true, run: () => onWish({ kind: 'end', device: d }) }]),
      ]}>
        <Icon name="more" />
      </Menu>
    </li>
  );
}

function Asked({ wish, others, close, reload }: { wish: Wish; others: number; close: () => void; reload: () => Promise<void> }) {
  if (wish.kind === 'rename') {
    return (
      <Dialog title={t('renameTitle')} onClose={close}>
        <Form submit={t('save')} onCancel={close} onSubmit={async (v) => {
          await patch('/sessions/{id}', { path: { id: wish.device.id }, body: { name: v.name! } });
          close();
          await reload();
        }}>
          <Field name="name" label={t('deviceName')} value={nameOf(wish.device)} required maxLength={100} autoFocus selectName />
        </Form>
      </Dialog>
    );
  }
  if (wish.kind === 'end') {
    return (
      <Confirm title={t('endTitle')} action={t('end')} onClose={close} onConfirm={async () => {
        await del('/sessions/{id}', { path: { id: wish.device.id } });
        toast(t('ended'));
        await reload();
      }}>
        <p>{t('endText', { name: nameOf(wish.device) })}</p>
      </Confirm>
    );
  }
  return (
    <Confirm title={t('endOthers')} action={t('endOthers')} onClose={close} onConfirm={async () => {
      await del('/sessions');
      toast(t('endedOthers'));
      await reload();
    }}>
      <p>{t('endOthersText', { count: others })}</p>
    </Confirm>
  );
}

// DevicesGo is what the page that deletes the account says of devices.
export function DevicesGo() {
  const { data } = useLoad((signal) => allDevices(signal), []);
  return <li>{data ? t('goDevices', { count: data.length }) : t('goDevicesAll')}</li>;
}

async function allDevices(signal: AbortSignal): Promise<Device[]> {
  const all: Device[] = [];
  let cursor: string | undefined;
  do {
    const page: Answer<'get', '/sessions'> = await get('/sessions', { query: { limit: 200, cursor }, signal });
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return all.sort((a, b) => Number(b.current) - Number(a.current) || Date.parse(b.last_used_at) - Date.parse(a.last_used_at));
}

// traits tell devices of one name apart: the browser, where the name does not say it, how it
// signed in, and from where.
function traits(d: Device): string {
  const browser = d.device.split(' ')[0] ?? '';
  return [nameOf(d).includes(browser) ? '' : d.device, how(d), d.place, d.address].filter(Boolean).join('\u00a0· ');
}

// how names what the sign-in asked for.
function how({ aal, amr }: Device): string {
  if (amr.includes('hwk') || amr.includes('swk')) return t('byPasskey');
  if (amr.includes('fed')) return t(aal === 'aal1' ? 'byOther' : 'byOtherSteps');
  return t(aal === 'aal1' ? 'byPassword' : 'bySteps');
}

function nameOf(d: Device): string {
  return d.name || d.device || t('unknownDevice');
}

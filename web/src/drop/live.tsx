// The page of a drop that this device is in, for its host and for its guests.
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusMain } from '../shell/app';
import { DropZone } from '../shell/drop-zone';
import { Icon } from '../shell/icon';
import { go } from '../shell/router';
import { Confirm, Skeleton, toast } from '../shell/ui';
import { be, dropped, flowing, forget } from './current';
import { resumeDrop, type Drop, type State } from './drop';
import { me, others } from './groups';
import { Over } from './over';
import { called, People } from './people';
import { SafeLink } from './safe-page';
import { Share } from './share';
import { useSteady } from './steady';
import { news } from './news';
import { Theirs } from './theirs';
import { Yours } from './yours';
import { t } from './words';

export function Live({ drop }: { drop: Drop }) {
  const { shown: state, hold } = useSteady(drop.state.value);
  const [closing, setClosing] = useState(false);
  const ready = state.phase !== 'closed' && me(state) !== undefined;
  // What had the focus on the way in is gone.
  useEffect(() => {
    if (ready && document.activeElement === document.body) focusMain();
  }, [ready]);
  if (state.phase === 'closed') return <Ended drop={drop} state={state} />;
  if (!me(state)) return <Skeleton />;
  const ask = () => setClosing(true);
  const leave = async () => {
    await drop.leave();
    if (state.host) return;
    await forget();
    go('/send');
    toast(t('left'));
  };
  return (
    <div class={state.host ? 'drop-live host' : 'drop-live'} onPointerDown={hold}>
      <News state={state} />
      <Head state={state} onClose={ask} />
      {state.host && <Share drop={drop} state={state} onClose={ask} />}
      <div class="drop-lists">
        {state.host ? <Yours drop={drop} state={state} /> : <Theirs drop={drop} state={state} />}
        {state.host ? (hasTheirs(state) && <Theirs drop={drop} state={state} />) : <Yours drop={drop} state={state} />}
      </div>
      <div class="drop-side">
        <People state={state} />
        <p><SafeLink /></p>
      </div>
      <DropZone label={t('dropHere')} onDrop={dropped} />
      {closing && (
        <Confirm title={state.host ? t('closeAsk') : t('leaveAsk')} action={state.host ? t('close') : t('leave')} onClose={() => setClosing(false)} onConfirm={leave}>
          <p>{state.host ? t('closeAskText') : t('leaveAskText')}</p>
          {flowing.value && <p>{t('closeAskFlow')}</p>}
          {state.incoming.some((i) => i.state === 'verified') && <p>{t('leaveAskUnsaved')}</p>}
        </Confirm>
      )}
    </div>
  );
}

// A host sees the list of others' files once there are some: until then it is here to send.
const hasTheirs = (state: State) => state.items.some((item) => item.owner !== me(state)!.rid) || state.items.length + state.missing.length === 0;

function Head({ state, onClose }: { state: State; onClose: () => void }) {
  const here = others(state).filter((p) => p.here);
  const empty = !state.items.some((item) => item.owner === me(state)!.rid) && state.missing.length === 0;
  const host = state.people.find((p) => p.host);
  return (
    <div class="drop-title">
      <div>
        <h1>{!state.host ? t('guestTitle') : here.length > 0 ? t('connectedTitle', { count: here.length }) : empty ? t('openTitle') : t('readyTitle')}</h1>
        <p>{state.phase === 'reconnecting' ? <span class="drop-lost" role="status"><span class="spinner" aria-hidden="true" /> {t('reconnecting')}</span>
          : state.host ? t('readyText', { site: location.host }) : t('guestText', { name: state.name, device: called(host) })}</p>
      </div>
      <button type="button" class="button" onClick={onClose}><Icon name="close" /> <span>{state.host ? t('close') : t('leave')}</span></button>
    </div>
  );
}

// Ended says why it is over. What has arrived can still be saved.
function Ended({ drop, state }: { drop: Drop; state: State }) {
  const kept = state.incoming.some((i) => i.state === 'verified' || i.state === 'saved');
  return (
    <>
      <Over refusal={state.refusal ?? 'closed'} host={state.host} name={state.name} retryAfter={state.retryAfter} again={async () => {
        await forget();
        if (state.refusal === 'replaced') be(await resumeDrop({ name: state.name }));
      }} />
      {kept && <Theirs drop={drop} state={state} over />}
    </>
  );
}

// News tells screen readers what changes by itself.
function News({ state }: { state: State }) {
  const before = useRef<State>(state);
  const [said, setSaid] = useState('');
  useEffect(() => {
    const text = news(before.current, state);
    before.current = state;
    if (text) setSaid(text);
  }, [state]);
  return <p class="hidden" role="status">{said}</p>;
}

// The page of a drop by its name, for people who come to receive.
import { useEffect, useState } from 'preact/hooks';
import { go, path, type Params } from '../shell/router';
import { Skeleton } from '../shell/ui';
import { current, forget, isCalled, resume } from './current';
import { obstacle } from './drop';
import { take } from './handed';
import { Join } from './join';
import { Live } from './live';
import { cleanName } from './pick';
import { Hindered } from './send-page';
import { t } from './words';

export function Receive({ params }: { params: Params }) {
  const name = cleanName(params.name!);
  const [secret] = useState(() => take(name));
  return <At key={name} name={name} secret={secret} />;
}

function At({ name, secret }: { name: string; secret: string | undefined }) {
  const [ready, setReady] = useState(current.value !== undefined || secret !== undefined);
  const hindered = obstacle();
  useEffect(() => {
    if (!ready && !hindered) void resume({ name }).finally(() => setReady(true));
  }, []);
  const drop = current.value;
  const now = drop?.state.value.name;
  const mine = drop !== undefined && isCalled(name);
  // The host may have renamed it: a reload must find it again.
  useEffect(() => {
    if (mine && now && now !== name && path.value.startsWith('/d/')) go('/d/' + encodeURIComponent(now), { replace: true });
  }, [mine, now]);
  if (hindered) return <Hindered why={hindered} />;
  if (!ready) return <Skeleton />;
  if (mine) return <Live drop={drop} />;
  if (drop && drop.state.value.phase !== 'closed') return <Elsewhere here={now!} there={name} />;
  return <Join name={name} secret={secret} />;
}

// Elsewhere is shown to a person in one drop that opens another.
function Elsewhere({ here, there }: { here: string; there: string }) {
  return (
    <div class="card narrow">
      <h1>{t('elsewhereTitle')}</h1>
      <p>{t('elsewhereText', { here, there })}</p>
      <div class="form-actions">
        <a class="button primary" href="/send">{t('back', { name: here })}</a>
        <button type="button" class="button" onClick={async () => {
          await current.peek()?.leave();
          await forget();
        }}>{t('leaveAndGo', { name: there })}</button>
      </div>
    </div>
  );
}

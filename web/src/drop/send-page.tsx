// Send & receive: two big choices, and then the drop itself.
import { useEffect, useState } from 'preact/hooks';
import { DropZone } from '../shell/drop-zone';
import { Icon } from '../shell/icon';
import { Empty, Skeleton } from '../shell/ui';
import { choosesFolders } from './choose';
import { current, dropped, opening, resume, send } from './current';
import { obstacle } from './drop';
import { Live } from './live';
import { NameForm } from './name-form';
import { SafeLink } from './safe-page';
import { pick } from './yours';
import { t } from './words';

export function Send() {
  const [ready, setReady] = useState(current.value !== undefined);
  const hindered = obstacle();
  useEffect(() => {
    if (!ready && !hindered) void resume({ host: true }).finally(() => setReady(true));
  }, []);
  if (hindered) return <Hindered why={hindered} />;
  if (current.value) return <Live drop={current.value} />;
  return ready ? <Start /> : <Skeleton />;
}

// Hindered says why this browser can take no part.
export function Hindered({ why }: { why: NonNullable<ReturnType<typeof obstacle>> }) {
  return (
    <Empty icon="warning" title={t('place')} page>
      <p>{why === 'insecure' ? t('insecure') : t('oldBrowser')}</p>
    </Empty>
  );
}

function Start() {
  const busy = opening.value;
  return (
    <div class="drop-start">
      <div>
        <h1>{t('place')}</h1>
        <p class="lead">{t('lead')}</p>
      </div>
      <div class="drop-choices">
        <section class="drop-target" aria-labelledby="drop-send" aria-busy={busy}>
          <span class="empty-icon">{busy ? <span class="spinner" aria-hidden="true" /> : <Icon name="upload" />}</span>
          <h2 id="drop-send">{t('send')}</h2>
          <p class="drop-only-desk">{t('sendTarget')}</p>
          <div class="drop-buttons">
            <button type="button" class="button primary big" aria-disabled={busy} onClick={() => void pick(false)}><Icon name="file" /> {t('chooseFiles')}</button>
            {choosesFolders() && <button type="button" class="button big" aria-disabled={busy} onClick={() => void pick(true)}><Icon name="folder" /> {t('chooseFolder')}</button>}
          </div>
          <p class="hint" role="status">{busy ? t('opening') : t('sendHint')}</p>
        </section>
        <section class="card drop-receive" aria-labelledby="drop-receive">
          <span class="empty-icon"><Icon name="download" /></span>
          <h2 id="drop-receive">{t('receive')}</h2>
          <NameForm />
          <p class="aside">{t('showCodeHint')} <button type="button" class="link" aria-disabled={busy} onClick={() => void send()}>{t('showCode')}</button></p>
        </section>
      </div>
      <p><SafeLink /></p>
      <DropZone label={t('dropHere')} onDrop={dropped} />
    </div>
  );
}

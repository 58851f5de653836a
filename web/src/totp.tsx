// The layer of one-time codes from an authenticator app: its step at sign-in, and its
// section of the security page. Delete this file and its line in rooms.ts, and the
// layer is gone from the app.
import { useState } from 'preact/hooks';
import { call, get, post } from './shell/auth';
import { Code, digits, Form } from './shell/form';
import { catalog } from './shell/i18n';
import { Icon } from './shell/icon';
import type { LayerProps, Room } from './shell/room';
import { Confirm, Dialog, Failed, Skeleton, toast, toastProblem, useLoad } from './shell/ui';

export const totp: Room = {
  layers: { totp: { title: () => t('step'), Step } },
  security: { Section, order: 1 },
};

function Step({ answer }: LayerProps) {
  return (
    <Form submit={t('go')} onSubmit={(v) => answer('totp', { code: digits(v.code) })}>
      <Code label={t('code')} hint={t('codeHint')} autoFocus />
    </Form>
  );
}

interface Enrolment {
  secret: string;
  otpauth_uri: string;
  qr_png: string; // base64
}

function Section() {
  const { data, problem, reload } = useLoad((signal) => get<{ totp?: { enabled: boolean } }>('/account/security', {}, signal), []);
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [disabling, setDisabling] = useState(false);
  const [busy, setBusy] = useState(false);
  const on = data?.totp?.enabled ?? false;

  async function begin() {
    setBusy(true);
    try {
      setEnrolment(await post<Enrolment>('/account/totp'));
    } catch (err) {
      toastProblem(err);
    } finally {
      setBusy(false);
    }
  }

  return (
    <section class="card" aria-labelledby="totp">
      <div class="card-head">
        <div>
          <h2 id="totp">{t('title')} {data && <span class={on ? 'tag good' : 'tag'}>{on ? t('on') : t('off')}</span>}</h2>
          <p class="hint">{on ? t('onText') : t('offText')}</p>
        </div>
        {data && (on
          ? <button type="button" class="button" onClick={() => setDisabling(true)}>{t('disable')}</button>
          : <button type="button" class="button primary" disabled={busy} onClick={begin}>{t('enable')}</button>)}
      </div>
      {problem ? <Failed problem={problem} retry={reload} /> : !data && <Skeleton rows={1} />}
      {enrolment && (
        <Dialog title={t('enrol')} onClose={() => setEnrolment(undefined)}>
          <Enrol enrolment={enrolment} onClose={() => setEnrolment(undefined)} onDone={async () => {
            setEnrolment(undefined);
            toast(t('enabled'));
            await reload();
          }} />
        </Dialog>
      )}
      {disabling && (
        <Confirm title={t('disableTitle')} action={t('disable')} onClose={() => setDisabling(false)} onConfirm={async () => {
          await call('DELETE', '/account/totp');
          toast(t('disabled'));
          await reload();
        }}>
          <p>{t('disableText')}</p>
        </Confirm>
      )}
    </section>
  );
}

function Enrol({ enrolment, onClose, onDone }: { enrolment: Enrolment; onClose: () => void; onDone: () => Promise<void> }) {
  return (
    <>
      <ol class="numbered">
        <li>
          <p>{t('scan')}</p>
          <img class="qr" src={'data:image/png;base64,' + enrolment.qr_png} width={200} height={200} alt={t('qr')} />
          <p class="hint">{t('orType')}</p>
          <div class="secret">
            <code>{enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
            <Copy text={enrolment.secret} />
          </div>
        </li>
        <li>
          <p>{t('type')}</p>
        </li>
      </ol>
      <Form submit={t('enable')} onCancel={onClose} onSubmit={async (v) => {
        await post('/account/totp/confirm', { code: digits(v.code) });
        await onDone();
      }}>
        <Code label={t('code')} />
      </Form>
    </>
  );
}

function Copy({ text }: { text: string }) {
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
      <Icon name={copied ? 'check' : 'copy'} /> <span aria-live="polite">{copied ? t('copied') : t('copy')}</span>
    </button>
  );
}

const t = catalog({
  en: {
    step: 'Code from your app',
    code: 'Code from your authenticator app',
    codeHint: 'Six digits; a new code comes every 30 seconds, and each works once.',
    go: 'Go on',
    title: 'Authenticator app',
    on: 'On',
    off: 'Off',
    onText: 'A sign-in on a new device asks for a code from your app.',
    offText: 'A code from an app on your phone, asked after the password: a stolen password alone opens nothing.',
    enable: 'Turn on',
    disable: 'Turn off',
    enrol: 'Set up your authenticator app',
    scan: 'Scan this picture with your authenticator app.',
    qr: 'QR code for the authenticator app; the secret below says the same in letters',
    orType: 'Or type this secret into the app:',
    type: 'Enter the code that the app shows now.',
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'The browser did not let us copy. Select the text instead.',
    enabled: 'Your authenticator app is asked from now on.',
    disabled: 'The authenticator app is no longer asked.',
    disableTitle: 'Turn off the authenticator app?',
    disableText: 'From then on your password alone opens your account.',
  },
  de: {
    step: 'Code aus Ihrer App',
    code: 'Code aus Ihrer Authenticator-App',
    codeHint: 'Sechs Ziffern; alle 30 Sekunden kommt ein neuer, jeder gilt einmal.',
    go: 'Weiter',
    title: 'Authenticator-App',
    on: 'An',
    off: 'Aus',
    onText: 'Eine Anmeldung auf einem neuen Gerät fragt nach einem Code aus Ihrer App.',
    offText: 'Ein Code aus einer App auf Ihrem Telefon, gefragt nach dem Passwort: Ein gestohlenes Passwort allein öffnet nichts.',
    enable: 'Einschalten',
    disable: 'Ausschalten',
    enrol: 'Authenticator-App einrichten',
    scan: 'Scannen Sie dieses Bild mit Ihrer Authenticator-App.',
    qr: 'QR-Code für die Authenticator-App; das Geheimnis darunter sagt dasselbe in Buchstaben',
    orType: 'Oder tippen Sie dieses Geheimnis in die App:',
    type: 'Geben Sie den Code ein, den die App jetzt zeigt.',
    copy: 'Kopieren',
    copied: 'Kopiert',
    copyFailed: 'Der Browser ließ uns nicht kopieren. Markieren Sie stattdessen den Text.',
    enabled: 'Ab jetzt wird nach Ihrer Authenticator-App gefragt.',
    disabled: 'Nach der Authenticator-App wird nicht mehr gefragt.',
    disableTitle: 'Authenticator-App ausschalten?',
    disableText: 'Danach öffnet Ihr Passwort allein Ihr Konto.',
  },
});

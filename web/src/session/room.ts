// The room of sessions: sign-in with its layers, the fresh proof, the devices.
import { go } from '../shell/router';
import { lang, setLang } from '../shell/i18n';
import type { Room } from '../shell/room';
import { setTheme, theme } from '../shell/theme';
import { toast, toastProblem } from '../shell/ui';
import { Devices } from './devices';
import { askForProof } from './proof';
import { EndDevice } from './end-device';
import { signOut, startSession } from './session';
import './session.css';
import { SignIn } from './sign-in';
import { problems, t } from './words';

export const session: Room = {
  routes: [
    { path: '/sign-in', page: SignIn, title: () => t('signIn'), open: true },
    { path: '/end-device', page: EndDevice, title: () => t('endTitle'), open: true },
  ],
  door: { href: '/sign-in', label: () => t('signIn'), order: 2, signsIn: true },
  menu: [{ icon: 'signOut', label: () => t('signOut'), run: () => void leave(), order: 9 }],
  points: [{ icon: 'device', title: () => t('point'), text: () => t('pointText'), order: 2 }],
  security: { Section: Devices, order: 9 },
  problems,
  start: () => startSession(askForProof),
};

async function leave(): Promise<void> {
  try {
    await signOut(() => go('/'));
    toast(t('signedOut'));
  } catch (err) {
    toastProblem(err);
  } finally {
    // Signing out cleared this site's storage; theme and language are kept.
    setTheme(theme.value);
    setLang(lang.value);
  }
}

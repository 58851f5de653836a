// The room of sessions: sign-in with its layers, the fresh proof, the devices.
import { go } from '../shell/router';
import { keepLook } from '../shell/look';
import type { Room } from '../shell/room';
import { toast, toastProblem } from '../shell/ui';
import { AllDevices, Devices, DevicesGo } from './devices';
import { askForProof, ByPassword } from './proof';
import { EndDevice } from './end-device';
import { signOut, startSession } from './session';
import './session.css';
import { SignIn, SignInForm } from './sign-in';
import { problems, t } from './words';

export const session: Room = {
  routes: [
    { path: '/sign-in', page: SignIn, title: () => t('signIn'), open: true },
    { path: '/security/devices', page: AllDevices, title: () => t('devices') },
    { path: '/end-device', page: EndDevice, title: () => t('strangeTitle'), open: true },
  ],
  signInForm: SignInForm,
  door: { href: '/sign-in', label: () => t('signIn'), order: 2, signsIn: true },
  menu: [{ icon: 'signOut', label: () => t('signOut'), run: () => void leave(), order: 9, always: true }],
  points: [{ icon: 'device', title: () => t('point'), text: () => t('pointText'), order: 2 }],
  security: { Section: Devices, order: 9 },
  prove: { Way: ByPassword, on: ({ password }) => password?.enabled ?? true, order: 2 },
  loss: { Line: DevicesGo, order: 2 },
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
    keepLook();
  }
}

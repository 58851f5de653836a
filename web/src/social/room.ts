// The room of sign-in by accounts that people have elsewhere.
import type { Room } from '../shell/room';
import { Arrive } from './arrive';
import { Again, Buttons } from './buttons';
import { Connected, ConnectionsGo, Names } from './connected';
import { Prove } from './prove';
import './social.css';
import { problems, t } from './words';

export const social: Room = {
  routes: [{ path: '/social', page: Arrive, title: () => t('title'), open: true }],
  enter: { Entry: Buttons, order: 2, signUp: true },
  prove: { Way: Prove, on: (lines) => Object.keys(lines).some((name) => name.startsWith('identity_') && lines[name]!.enabled), order: 3 },
  activate: { Way: Again, order: 2 },
  wayIn: { Names, order: 2 },
  account: { Section: Connected, order: 1 },
  loss: { Line: ConnectionsGo, order: 10 },
  problems,
};

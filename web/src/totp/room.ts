// The layer of one-time codes from an authenticator app.
import type { Room } from '../shell/room';
import { Section } from './section';
import { Step } from './step';
import './totp.css';
import { problems, t } from './words';

export const totp: Room = {
  layers: { totp: { title: () => t('step'), Step } },
  security: { Section, order: 1 },
  problems,
};

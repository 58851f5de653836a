// The room of passkeys: a sign-in by fingerprint, face or screen lock, without a password.
import type { Room } from '../shell/room';
import './passkey.css';
import { beginAdding, InSummary, PasskeysGo, Section } from './section';
import { Activate, Enter, Pass, Prove, proves } from './ways';
import { problems, t } from './words';

export const passkey: Room = {
  enter: { Entry: Enter, order: 1 },
  prove: { Way: Prove, on: proves, order: 1 },
  pass: { Way: Pass, order: 1 },
  activate: { Way: Activate, order: 1 },
  security: { Section, order: 6, repairs: true, advised: { line: 'passkeys', label: () => t('addSecond'), run: beginAdding } },
  wayIn: { Names: InSummary, order: 9, alone: true },
  loss: { Line: PasskeysGo, order: 9 },
  problems,
};

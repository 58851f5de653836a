// The room of the person's picture.
import type { Room } from '../shell/room';
import './avatar.css';
import { Picture } from './picture';
import { problems } from './words';

export const avatar: Room = {
  profile: { Part: Picture, order: 1 },
  problems,
};

// The room of links: what people share with others, and what others see of it.
import type { Room } from '../shell/room';
import { guestRoutes } from './guest-routes';
import { problems } from './words';

export const share: Room = {
  routes: guestRoutes,
  problems,
};

// What a room gives the app. src/rooms.ts has one line per room.
import type { ComponentType } from 'preact';
import type { Route } from './router';
import type { Icon } from './icon';

// A step of a sign-in: asks for one layer's answer and says when it passed.
export interface LayerStep {
  title: () => string;
  Step: ComponentType<LayerProps>;
}

export interface LayerProps {
  layer: Layer;
  // Sends the answer to POST /auth/attempts/{id}/<path>.
  answer: (path: string, body: unknown) => Promise<void>;
}

// One entry of a challenge's layers.
export interface Layer {
  layer: string;
  done: boolean;
  sent_to?: string;
  question?: string;
  hint?: string;
}

export interface Room {
  routes?: Route[];
  nav?: { href: string; icon: Icon; label: () => string; order: number };
  // A section of the security page.
  security?: { Section: ComponentType; order: number };
  // Runs once, before the first page.
  start?: () => void;
  // Shown over every page of people who are signed in.
  Floating?: ComponentType;
  // Keyed by the layer's name in api.md.
  layers?: Record<string, LayerStep>;
}

let all: Room[] = [];

export function useRooms(rooms: Room[]): void {
  all = rooms;
}

export function rooms(): readonly Room[] {
  return all;
}

export function layerStep(name: string): LayerStep | undefined {
  for (const room of all) if (room.layers && Object.hasOwn(room.layers, name)) return room.layers[name];
  return undefined;
}

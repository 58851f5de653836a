// A Room is all that a feature adds to the app. src/rooms.ts lists the rooms, one a line. The
// shell uses this interface and imports no room; a room imports the shell and no other room.
import type { ComponentChildren, ComponentType } from 'preact';
import type { Answer, Body, Paths } from './api';
import type { Opened } from './auth';
import type { Words } from './i18n';
import type { Icon } from './icon';
import type { Route } from './router';
import type { Loaded } from './ui';

export interface Room {
  routes?: Route[];
  // Places in the sidebar; on a phone in the bar, which has room for three, or under "More".
  // People who are signed in begin at the first.
  places?: Spot[];
  // Entries of "New": at a desk a menu, on a phone the sheet behind "+".
  create?: Deed[];
  // Entries behind the person's picture; on a phone under "More". The shell's own have the
  // orders 6 and 7.
  menu?: MenuEntry[];
  // The page that searches, which reads ?q= from its address: a field in the top bar. from adds what
  // the address says of where the person is.
  search?: Place & { from?: () => Record<string, string> };
  // A button for people who are signed out: on the first page, beside a form that is not
  // theirs. People without a session are sent to the one that signs them in.
  door?: Place & { signsIn?: true };
  // The form of the page that signs in, for other pages that ask who somebody is. It holds the
  // whole sign-in, its steps too; the page sees the session come.
  signInForm?: ComponentType<SignInFormProps>;
  // Other ways to sign in, below the form of the sign-in page; with signUp also below that of the
  // sign-up page.
  enter?: { Entry: ComponentType<EnterProps>; order: number; signUp?: true };
  // Ways to give a fresh proof. on tells from the lines of the security page whether the account
  // has it. The dialog puts the lowest order first.
  prove?: { Way: ComponentType<ProveProps>; on: (lines: Lines) => boolean; order: number };
  // A proof that passes all steps of a sign-in at once.
  pass?: { Way: ComponentType<PassProps>; order: number };
  // Proofs in place of the password, on the page that activates a deactivated account.
  activate?: { Way: ComponentType<ActivateProps>; order: number };
  // Ways back into an account, for people who cannot sign in.
  waysBack?: Record<'password' | 'activate' | 'recover', WayBack>;
  // The page of people whose session may only repair the account. They are shown no other page
  // that wants a session.
  repair?: string;
  // What people can do on the first page without an account, below the doors.
  home?: { Part: ComponentType; order: number };
  // What the first page says of the room.
  points?: { icon: Icon; title: () => string; text: () => string; order: number }[];
  // A section of the security page. Weaker steps offer the step of first before themselves,
  // while it is off; run begins its set-up on the same page. ways names what lets people back
  // in, by the lines of the page.
  security?: {
    Section: ComponentType<SecurityProps>;
    order: number;
    first?: { layer: string; label: () => string; run: () => void };
    advised?: Advised;
    ways?: Record<string, (line: Line) => string>;
    // Is shown during a repair too; the sections of sign-in steps are shown anyway.
    repairs?: true;
  };
  // What signs people in instead of the password: an <li> a name, for the summary of the security
  // page. alone: no step is asked after it.
  wayIn?: { Names: ComponentType<{ lines: Lines }>; order: number; alone?: true };
  // A part of the profile on the account page, above its form.
  profile?: { Part: ComponentType; order: number };
  // A section of the account page.
  account?: { Section: ComponentType; order: number };
  // The page that has the sections of security.
  securityPage?: { href: string; label: () => string };
  // The room's actions on an entry of the tree of files stand in the row's menu and above the preview; with
  // bar also in the toolbar, while it alone is selected. Mark stands beside its name.
  entry?: { deeds: (entry: Entry) => EntryDeed[]; Mark?: ComponentType<MarkProps>; order: number };
  // The folders of the tree, for rooms that put something into one.
  folders?: Folders;
  // A line, an <li>, of the page that deletes the account: what of the room goes with it.
  loss?: { Line: ComponentType; order: number };
  // Steps of a sign-in, by the names of their layers.
  layers?: Record<string, LayerStep>;
  // The words of the problem codes that this room's operations alone answer; the words of
  // a field's code begin with field_.
  problems?: Words;
  // The page where a problem can be mended, by its code.
  remedies?: Record<string, Pick<Place, 'href' | 'label'>>;
  // A page of what the person published. They stand beside each other.
  published?: Place;
  // Stands at the sidebar's end.
  Side?: ComponentType;
  // Shown over every page of people who are signed in.
  Floating?: ComponentType;
  // Runs once, before the first page.
  start?: () => void;
}

// Advised is what the advice of the security page offers to do about a line: set it up, or
// renew what is on.
export interface Advised {
  line: string;
  label: (on: boolean) => string;
  run: () => void;
}

export interface Place {
  href: string;
  label: () => string;
  order: number;
}

// A page for people who cannot sign in. take hands it what they have typed or shown elsewhere.
export interface WayBack {
  href: string;
  label: () => string;
  take: (typed: Typed) => void;
}

export interface Typed {
  identifier: string;
  password?: string;
  // The page that activates asks for no other proof.
  shown?: { by: string; send: SendLink };
  // The way that the page that activates puts first.
  way?: ComponentType<ActivateProps>;
}

// A SendLink has the link of an activation mailed. It ends with the signal.
export type SendLink = (end: AbortSignal) => Promise<unknown>;

export interface Spot extends Place {
  icon: Icon;
  phone: 'bar' | 'more';
  open?: true; // is for people who are signed out too, and stands in their footer
  short?: () => string; // the label in the phone's bar, where the long one does not fit
  there?: () => boolean; // false: the place is not shown
}

export interface Deed {
  icon: Icon;
  label: () => string;
  order: number;
  run: () => void;
}

export type Entry = Answer<'get', '/files/{id}'>;

export interface EntryDeed {
  icon: Icon;
  label: string;
  run: () => void;
  bar?: true;
}

export interface MarkProps {
  entry: Entry;
  tab: number; // its place in the order of Tab
}

// A Target is a folder that takes something; "" is the top.
export interface Target {
  id: string;
  name: string;
}

export interface Folders {
  // The tree in which a person chooses one. With below, the top is none.
  Choose: ComponentType<{ here?: string; below?: boolean; target: Target | undefined; pick: (to: Target) => void }>;
  shown: () => string; // the one whose page is shown
  href: (id: string) => string;
}

// An entry with `always` is there during a repair too.
export type MenuEntry = { icon: Icon; label: () => string; order: number; admins?: true; always?: true } & ({ href: string; leave?: true } | { run: () => void });

// A line of the security page: a layer, or a way back.
export type Line = Lines[string];
export type Lines = Answer<'get', '/account/security'>;

// The security page reads the status of all layers once, for all sections.
export interface SecurityProps {
  status: Loaded<Lines>;
}

// A step of a sign-in: asks for one layer's answer and says when it passed. The step that asks
// least of a person has the lowest order, and comes first.
export interface LayerStep {
  title: () => string;
  order: number;
  Step: ComponentType<LayerProps>;
}

export type Challenge = Extract<Answer<'get', '/auth/attempts/{id}'>, { attempt_id: string }>;
export type Layer = Challenge['layers'][number];

// The operations that take a layer's answer.
export type LayerPath = Exclude<Extract<Paths<'post'>, `/auth/attempts/{id}/${string}`>, `${string}/${'resend' | 'passkey' | 'passkey/options'}`>;

// The operations that send a layer's message once more.
export type AgainPath = Extract<Paths<'post'>, `/auth/attempts/{id}/${string}/resend`>;

// An Entry takes over nothing of the session itself: the page goes on with what it has opened.
export interface EnterProps {
  onOpened: (opened: Opened) => Promise<void>;
  signUp?: boolean; // stands on the page that makes an account
  paused?: boolean; // the form is sending
  own?: boolean; // the page asks for a proof of the account here
  remember?: () => boolean; // the person wants this device remembered
}

export interface SignInFormProps {
  title: string;
  submit?: string; // what the button does besides
  children: ComponentChildren; // why the page asks
}

export interface ProveProps {
  main: boolean; // stands first, and takes the focus
  // by names what was proved, where it is not the password.
  onOpened: (opened: Opened | undefined, by?: string) => Promise<void>;
  onCancel?: () => void;
  // What was typed, by the names of the fields: an attempt that is over begins again with it.
  typed: Record<string, string>;
}

export interface ActivateProps {
  main?: boolean; // stands first
  // Runs send, and shows that the mail is on its way. The person may have it sent again.
  onSend: (send: SendLink) => Promise<void>;
}

export interface PassProps {
  challenge: Challenge;
  // Runs a call of the attempt. It answers undefined when the attempt is over, which the page says.
  guard: <T>(call: Promise<T>) => Promise<T | undefined>;
  onOpened: (opened: Opened) => Promise<void>;
}

export interface LayerProps {
  layer: Layer;
  answer: (path: LayerPath, body: Body<'post', LayerPath>) => Promise<void>;
  again: (path: AgainPath) => Promise<{ resend_at: string }>;
}

let all: readonly Room[] = [];

export function useRooms(rooms: readonly Room[]): void {
  all = rooms;
}

export function rooms(): readonly Room[] {
  return all;
}

// collect returns what the rooms give of one kind, in order.
export function collect<T extends { order: number }>(give: (room: Room) => T | readonly T[] | undefined): T[] {
  return all.flatMap((room) => give(room) ?? []).sort((a, b) => a.order - b.order);
}

export const doors = () => collect((room) => room.door);

// signInDoor is where people without a session are sent.
export const signInDoor = () => doors().find((door) => door.signsIn);
export const signInPath = () => signInDoor()?.href ?? '/';

// wayBack is where a person gets a new password, activates an account again, or comes back without
// a sign-in step.
export const wayBack = (to: 'password' | 'activate' | 'recover') => all.find((room) => room.waysBack)?.waysBack?.[to];

export const places = () => collect((room) => room.places).filter((spot) => spot.there?.() ?? true);

export const entryParts = () => collect((room) => room.entry);

export const folders = () => all.find((room) => room.folders)?.folders;

export const signInForm = () => all.find((room) => room.signInForm)?.signInForm;

export const securityPage = () => all.find((room) => room.securityPage)?.securityPage;

// stepsOf names the sign-in steps among the lines of the security page that are on, or off, in
// their order.
export function stepsOf(lines: Record<string, Line>, on: boolean): string[] {
  return Object.keys(lines).filter((name) => layerStep(name) && lines[name]!.enabled === on).sort((a, b) => layerStep(a)!.order - layerStep(b)!.order);
}

// repairPath is where a session leads that may only repair the account.
export const repairPath = () => all.find((room) => room.repair)?.repair ?? '/';

// firstPlace is where people begin who are signed in.
export const firstPlace = () => places()[0]?.href ?? '/';

export function layerStep(name: string): LayerStep | undefined {
  for (const room of all) if (room.layers && Object.hasOwn(room.layers, name)) return room.layers[name];
  return undefined;
}

// The shapes of the API that several pages show.
import type { Answer } from '../shell/api';

export type Overview = Answer<'get', '/admin/overview'>;
export type Summary = Answer<'get', '/admin/accounts'>['items'][number];
export type Person = Answer<'get', '/admin/accounts/{id}'>;
export type Block = Answer<'get', '/admin/blocks'>['items'][number];
export type Job = Answer<'get', '/admin/jobs'>['items'][number];
export type Key = Answer<'get', '/admin/keys'>['keys'][number];
export type Walk = Answer<'get', '/admin/keys'>['walks'][number];
export type Entry = Answer<'get', '/admin/events'>['items'][number];
export type SharedLink = Answer<'get', '/admin/shares/{ref}'>;

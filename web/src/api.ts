// The shapes of the API that the pages read, by the names of docs: one line each.
export interface Account {
  id: string;
  first_name: string;
  last_name: string;
  username: string;
  email: string;
  bio: string;
  language: string;
  role: string;
  created_at: string;
  sign_in_summary?: { count: number; last_at: string | null; previous_at: string | null };
}

export interface Session {
  session_id: string;
  access_token: string;
  expires_in: number;
  aal: string;
  amr: string[];
  account: { id: string };
}

export interface Challenge {
  attempt_id: string;
  attempt_token: string;
  expires_in: number;
  layers: { layer: string; done: boolean; sent_to?: string; question?: string; hint?: string }[];
}

export interface Device {
  id: string;
  name: string;
  device: string;
  address: string;
  place: string;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

export interface Entry {
  id: string;
  kind: 'file' | 'folder';
  name: string;
  damaged?: boolean;
  size: number;
  modified_at: string;
  parent?: string;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string;
}

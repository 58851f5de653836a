// The rooms of the app: one line each.
export { account } from './account';
export { file } from './file';
export { session } from './session';
export { totp } from './totp';

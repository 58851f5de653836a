// The rooms of the app: one line each.
export { account } from './account/room';
export { admin } from './admin/room';
export { avatar } from './avatar/room';
export { drop } from './drop/room';
export { file } from './file/room';
export { guard } from './guard/room';
export { ledger } from './ledger/room';
export { mailcode } from './mailcode/room';
export { passkey } from './passkey/room';
export { pin } from './pin/room';
export { question } from './question/room';
export { recovery } from './recovery/room';
export { session } from './session/room';
export { share } from './share/room';
export { smscode } from './smscode/room';
export { social } from './social/room';
export { totp } from './totp/room';

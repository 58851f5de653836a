// A wrong code of an authenticator app has a cause of its own: the clock of the phone.
import { Problem } from '../shell/problem';

export async function sendCode<T>(send: Promise<T>): Promise<T> {
  try {
    return await send;
  } catch (err) {
    throw err instanceof Problem && err.code === 'invalid_code' ? new Problem({ status: err.status, code: 'wrong_totp' }) : err;
  }
}

/** What is loaded at once when a homeserver is configured. */
export { newDevice } from './access.ts';
export { createMatrixChat } from './chat.ts';
export { toNotifyError } from './errors.ts';
export { endSession, logIn } from './login.ts';
export { sessionStore } from './session.ts';
export { readAccessToken, readPassword, requirePassword } from './token.ts';

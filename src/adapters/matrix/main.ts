/** What is loaded at once when a homeserver is configured. */
export { createMatrixChat } from './chat.ts';
export { readAccessToken } from './token.ts';

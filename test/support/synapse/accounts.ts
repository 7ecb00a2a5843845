/** The demo's own way to be a person on a homeserver is what tests use as well. */
export * from '../../../src/demo/homeserver/accounts.ts';

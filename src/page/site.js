// Where this server stands: the only file that knows the beginning of its addresses, and of what this browser keeps of
// it. Behind a proxy both may have a prefix, which the page's HTML names.

const prefix = document.body.dataset.prefix ?? "";

/** What begins the names of all that this browser keeps of this server, locks for it, or says between tabs. */
export const OWN = `comet-chat${prefix}`;

/** The service worker, and the addresses that it may serve. */
export const WORKER = `${prefix}/page/worker.js`;
export const SCOPE = `${prefix}/`;

/** The list of rooms. */
export const ROOMS = `${prefix}/rooms`;

/** The address of something below this server's own. */
export const under = (path) => prefix + path;

/** The address of a room or, for a poll, of several. */
export function roomAddress(rooms) {
  return `${prefix}/chat/${[].concat(rooms).map(encodeURIComponent).join()}`;
}

/** Where the reader gives the passphrase, and comes back to the room. The server adds the prefix to where it sends on. */
export function loginAddress(room) {
  return `${prefix}/login?to=${encodeURIComponent(`/chat/${encodeURIComponent(room)}`)}`;
}

/** Whether the server has a worker. One that has none, as of an earlier version, ends it. */
export const hasWorker = document.body.dataset.worker !== undefined;

/** Whether others need an invite to come in. */
export const invites = document.body.dataset.invites !== undefined;

/** Whether the server was told by which address the outside sees it. */
export const isPublic = document.body.dataset.public !== undefined;

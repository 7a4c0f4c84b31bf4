// The server's wire: the only file that knows addresses, headers and status codes.

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(status, sentence, retryAfter) {
    super(sentence);
    this.status = status;
    /** In milliseconds; 0 if the server named none. */
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may be accepted later. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

const JSON_ACCEPTED = { Accept: "application/json" };

/** How long a request that does not wait may take, in milliseconds. */
const DEADLINE = 15_000;

function place(room, rest = "", parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(key, value);
  }
  const question = `?${query}`.replace(/^\?$/, "");
  return `/chat/${encodeURIComponent(room)}${rest}${question}`;
}

/** A reply without an error status; throws Refused, or what fetch throws if nobody answered. */
async function request(address, options = {}, deadline = DEADLINE) {
  const controller = new AbortController();
  const end = () => controller.abort();
  options.signal?.addEventListener("abort", end, { once: true });
  const timer = setTimeout(end, deadline);
  try {
    const reply = await fetch(address, {
      headers: JSON_ACCEPTED,
      cache: "no-store",
      ...options,
      signal: controller.signal,
    });
    if (!reply.ok) throw await refusal(reply);
    const body = reply.status === 204 ? null : await reply.text();
    return { body: body && JSON.parse(body), headers: reply.headers };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
  }
}

async function refusal(reply) {
  const text = await reply.text();
  let sentence = text;
  try {
    const problem = JSON.parse(text);
    sentence = problem.detail ?? problem.title ?? text;
  } catch {
    // A proxy on the way answers in its own words.
  }
  const seconds = Number(reply.headers.get("Retry-After"));
  return new Refused(reply.status, sentence.slice(0, 300), seconds > 0 ? seconds * 1000 : 0);
}

/**
 * What came after the cursor, waiting up to `wait` seconds for it. With a name, that person is
 * present in the room meanwhile.
 */
export async function poll(room, { after, wait, name }, signal) {
  const address = place(room, "", { after, wait, name });
  const { body, headers } = await request(address, { signal }, wait * 1000 + DEADLINE);
  return {
    messages: body?.messages ?? [],
    next: body?.next ?? headers.get("Chat-Cursor") ?? after,
    gap: body?.gap ?? false,
  };
}

/** Says something; the answer names the message that it became. */
export async function publish(room, { message, name, id }) {
  const headers = { ...JSON_ACCEPTED, "Content-Type": "application/json" };
  const body = JSON.stringify({ message, name, id });
  return (await request(place(room), { method: "POST", headers, body })).body;
}

/** The messages before a cursor, oldest first; `previous` is null where the room begins. */
export async function history(room, before, limit) {
  return (await request(place(room, "/history", { before, limit }))).body;
}

/** Who is in the room. */
export async function people(room) {
  return (await request(place(room, "/people"))).body.people;
}

/** The rooms that are there. */
export async function rooms() {
  return (await request("/rooms")).body.rooms;
}

/** Goes out of the room, unless seen there again within the wait. It works in a page that is closed. */
export function leave(room, name, wait) {
  const address = place(room, "/leave", { wait });
  const form = new URLSearchParams({ name });
  if (navigator.sendBeacon?.(address, form)) return;
  fetch(address, { method: "POST", body: form, keepalive: true }).catch(() => {});
}

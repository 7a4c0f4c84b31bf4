// A page that begins before the server answers: what stands before its body is the same at each visit. So the browser
// has the style and has compiled the scripts when the answer comes, where it would only ask for them then.

/** What ends the beginning. */
const END = "</head>";

/** The headers of a page that a browser heeds. */
const HEEDED = [
  "cache-control",
  "content-language",
  "content-security-policy",
  "content-security-policy-report-only",
  "content-type",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "origin-agent-cluster",
  "permissions-policy",
  "referrer-policy",
  "x-content-type-options",
  "x-frame-options",
];

export function heeded({ headers }) {
  return HEEDED.filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]);
}

/** How a page begins: an answer and its text. */
export function beginningOf(reply, html) {
  return { headers: heeded(reply), head: html.slice(0, html.indexOf(END) + END.length) };
}

export function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * A page that begins like this, and goes on with the answer as it comes. If that begins otherwise, or never comes, the page
 * ends with the text of `instead(answer)`. Gives the page, and what settles when all of it was sent.
 */
export function begun(beginning, answer, instead) {
  const { readable, writable } = new TransformStream();
  const sent = goOn(writable, beginning, answer, instead).catch(() => {});
  return { reply: new Response(readable, { headers: beginning.headers }), sent };
}

async function goOn(writable, beginning, answer, instead) {
  const out = writable.getWriter();
  // Nobody reads on when the reader has left.
  const write = (bytes) => void out.write(bytes).catch(() => {});
  const head = new TextEncoder().encode(beginning.head);
  write(head);
  const reply = await answer.catch(() => undefined);
  const isAlike = reply?.status === 200 && !reply.redirected && isSame(heeded(reply), beginning.headers);
  const rest = isAlike ? await restOf(reply.body, head).catch(() => undefined) : undefined;
  if (rest) {
    write(rest);
    out.releaseLock();
    // It takes no more from the server than the reader takes from it.
    return reply.body.pipeTo(writable);
  }
  reply?.body?.cancel().catch(() => {});
  // A line that was cut because the reader has left says nothing of the server.
  if (out.desiredSize === null) return;
  write(new TextEncoder().encode(await instead(reply)));
  await out.close();
}

/** What has come of a body after these bytes, if it begins with them; the rest is still in it. One that ends before throws. */
async function restOf(body, head) {
  const reader = body.getReader();
  try {
    for (let at = 0; ; ) {
      const { value } = await reader.read();
      const part = value.subarray(0, head.length - at);
      if (part.some((byte, index) => byte !== head[at + index])) return undefined;
      at += part.length;
      if (at === head.length) return value.subarray(part.length);
    }
  } finally {
    reader.releaseLock();
  }
}

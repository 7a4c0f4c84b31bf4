// The newest messages, read from the HTML that the server has rendered.

function fileIn({ file: name, bytes, width, height, gone }) {
  const size = width === undefined ? {} : { width: Number(width), height: Number(height) };
  return { name, bytes: Number(bytes), gone: gone !== undefined, ...size };
}

export function adopt(place) {
  return Array.from(place.querySelectorAll("li[data-id]"), (row) => {
    const { id, kind, name, replyTo, operator } = row.dataset;
    const [at, edited, deleted] = ["at", "edited", "deleted"].map((time) => row.dataset[time] && Date.parse(row.dataset[time]));
    const text = deleted ? "" : (row.querySelector(".text")?.textContent ?? "");
    const path = `/chat/${encodeURIComponent(document.body.dataset.room)}/file/${id}/${encodeURIComponent(row.dataset.file)}`;
    const file = row.dataset.file === undefined ? undefined : { ...fileIn(row.dataset), path };
    const change = { edited, deleted, operator: operator !== undefined };
    if (row.dataset.text === undefined) return { id, kind, at, name: name ?? null, text, file, reply_to: replyTo, ...change };
    const rule = row.dataset.text;
    // A time is a number of seconds.
    const seconds = /^(muted|removed|slowed)$/.test(kind) ? Number(rule) : undefined;
    return { id, kind, at, name: name ?? null, text: seconds === undefined ? rule : "", seconds, operator: change.operator };
  });
}

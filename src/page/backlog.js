// The newest messages, read from the HTML that the server has rendered.

export function adopt(place) {
  return Array.from(place.querySelectorAll("li[data-id]"), (row) => {
    const { id, kind, at, name, replyTo, edited, deleted, operator } = row.dataset;
    const text = deleted ? "" : (row.querySelector(".text")?.textContent ?? "");
    const change = { edited, deleted, operator: operator !== undefined };
    return { id, kind, at, name: name ?? null, text, reply_to: replyTo, ...change };
  });
}

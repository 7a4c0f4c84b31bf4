// The newest messages, read from the HTML that the server has rendered.

export function adopt(place) {
  return Array.from(place.querySelectorAll("li[data-id]"), (row) => {
    const { id, kind, at, name } = row.dataset;
    const text = row.querySelector(".text")?.textContent ?? "";
    return { id, kind, at, name: name ?? null, text };
  });
}

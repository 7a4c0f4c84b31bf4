// On a wide screen the lists of rooms and people stand beside the chat; else they open over it.

const PANELS = { rooms: "(min-width: 60rem)", people: "(min-width: 80rem)" };

export function layPanels() {
  for (const [id, query] of Object.entries(PANELS)) {
    const panel = document.getElementById(id);
    const wide = matchMedia(query);
    const lay = () => {
      if (wide.matches) panel.removeAttribute("popover");
      else panel.setAttribute("popover", "");
    };
    wide.addEventListener("change", lay);
    lay();
  }
}

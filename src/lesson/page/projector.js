// Large type for a projector, by a button or by `?projector`.

export function projector() {
  const button = document.getElementById("projector");
  const address = new URL(location);
  const set = (large) => {
    document.documentElement.classList.toggle("projector", large);
    button.setAttribute("aria-pressed", large);
    if (large) address.searchParams.set("projector", "");
    else address.searchParams.delete("projector");
  };
  set(address.searchParams.has("projector"));
  button.addEventListener("click", () => {
    set(button.getAttribute("aria-pressed") !== "true");
    history.replaceState(null, "", address);
  });
}

// Passing the room on: its address, and the same as a code for a phone's camera.

export function share(room, address) {
  const dialog = document.getElementById("share");
  const input = document.getElementById("address");
  const copy = document.getElementById("copy");
  input.value = address;
  const open = () => {
    document.getElementById("qr").src = `/chat/${encodeURIComponent(room)}/qr`;
    copy.textContent = "Copy";
    dialog.showModal();
  };
  document.getElementById("share-button").addEventListener("click", open);
  document.getElementById("empty-share").addEventListener("click", open);
  document.getElementById("share-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  copy.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(address);
    } catch {
      // There is no clipboard on plain http; the old way works there.
      document.execCommand("copy");
    }
    copy.textContent = "Copied";
  });
}

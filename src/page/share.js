// Passing the room on: its address, and the same as a code for a phone's camera.

import { keepHere, recallHere } from "./kept.js";
import { phrase } from "./phrase.js";
import { invites, isPublic, roomAddress } from "./site.js";
import { soon } from "./time.js";
import { invite } from "./wire.js";

/** What the reader's browser shows as the beginning of the address, unless the server knows better; and the rest. */
function seenFrom(room) {
  const isHere = /^(?:localhost|.*\.localhost|127\..*|\[::1\])$/.test(location.hostname);
  return { origin: isHere || isPublic ? null : location.origin, path: roomAddress(room) };
}

/** The address of a message, for others. `address` is that of the room as the server knows it. */
export function addressOf(room, address, id) {
  const { origin, path } = seenFrom(room);
  return `${origin === null ? address : origin + path}#${id}`;
}

/**
 * `address` is the room's address as the server knows it. The server knows the machine's address in its
 * network, for a reader who opened the page as localhost, but it knows a proxy before it only if it was told.
 */
export function share(room, address) {
  const { origin, path } = seenFrom(room);
  if (origin !== null) address = origin + path;
  const code = origin === null ? `${path}/qr` : `${path}/qr?origin=${encodeURIComponent(origin)}`;
  const dialog = document.getElementById("share");
  const input = document.getElementById("address");
  const copy = document.getElementById("copy");
  input.value = address;
  const open = () => {
    document.getElementById("qr").src = code;
    copy.textContent = phrase("copy");
    dialog.showModal();
    if (invites) showInvite();
  };
  const showInvite = async () => {
    // Without it the address asks for the passphrase.
    const { url, expires } = await invite(room, origin).catch(() => ({ url: address }));
    input.value = url;
    document.getElementById("share-until").textContent = expires ? phrase("share.until", { time: soon(expires) }) : phrase("share.day");
  };
  // A private room was just made, to be passed on.
  if (recallHere(`share/${room}`)) {
    keepHere(`share/${room}`, null);
    open();
  }
  document.getElementById("share-button").addEventListener("click", open);
  document.getElementById("empty-share").addEventListener("click", open);
  document.getElementById("share-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  copy.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      // On plain http there is no clipboard, but the old way works.
      document.execCommand("copy");
    }
    copy.textContent = phrase("copied");
  });
}

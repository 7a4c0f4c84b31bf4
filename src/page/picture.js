// Files in messages: pictures, which open large, and links to all others.

import { fileOf } from "./blobs.js";
import { element, icon } from "./element.js";
import { LOCALE } from "./locale.js";
import { phraseParts } from "./phrase.js";
import { under } from "./site.js";

/** The longest side of a picture in a message, in pixels of the page. The server's HTML has the same. */
const SHOWN = 320;

const dialog = document.getElementById("picture");
const title = document.getElementById("picture-title");
const image = document.getElementById("picture-image");
const save = document.getElementById("picture-save");

document.getElementById("picture-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", ({ target }) => (target === dialog || target === image) && dialog.close());
dialog.addEventListener("close", () => image.removeAttribute("src"));

/** How large a picture is shown: known before it comes, so that nothing moves then. */
function shownSize({ width, height }) {
  const scale = Math.min(1, SHOWN / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** A size in words. */
export function sizeOf(bytes) {
  const [size, unit] = bytes < 1_000_000 ? [Math.ceil(bytes / 1000), "kilobyte"] : [bytes / 1_000_000, "megabyte"];
  return size.toLocaleString(LOCALE, { style: "unit", unit, maximumFractionDigits: 1 });
}

/** The file of a message. One that waits to be sent has a key in the place of an address. */
export function fileNode(file) {
  const { name, bytes, width, path, key, gone } = file;
  if (gone) return element("p", { class: "file gone" }, ...phraseParts("file.gone", { name: element("bdi", {}, name) }));
  if (width && key) return drawn(file);
  if (width) return pictureNode(file);
  const words = [icon("file"), element("bdi", {}, name), element("span", {}, sizeOf(bytes))];
  if (key) return element("p", { class: "file" }, ...words);
  return element("a", { class: "file", href: under(path), download: name }, ...words);
}

function pictureNode(file) {
  const address = under(file.path);
  const picture = element("img", { src: address, alt: file.name, loading: "lazy", decoding: "async", ...shownSize(file) });
  const click = (event) => {
    // Another tab or window is for the browser.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(file, address);
  };
  return element("a", { class: "picture", href: address, target: "_blank", "aria-haspopup": "dialog", on: { click } }, picture);
}

function show({ name, width, height }, address) {
  title.textContent = name;
  save.href = address;
  save.download = name;
  Object.assign(image, { alt: name, width, height, src: address });
  dialog.showModal();
}

/** A picture that is not on the server yet. */
function drawn({ key, name, ...size }) {
  const canvas = element("canvas", { role: "img", "aria-label": name, ...shownSize(size) });
  fileOf(key).then((blob) => draw(canvas, blob), () => {});
  return element("p", { class: "picture" }, canvas);
}

/** Draws a picture as large as the canvas. */
export async function draw(canvas, source) {
  const bitmap = source instanceof Blob ? await createImageBitmap(source).catch(() => null) : source;
  if (bitmap) canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

// Files to send: chosen, pasted or dropped. They stand above the form until the message is sent.

import { tell } from "./announce.js";
import { element, icon } from "./element.js";
import { phrase } from "./phrase.js";
import { draw, sizeOf } from "./picture.js";
import { strip } from "./strip.js";

/** The side of a picture above the form, in pixels. */
const SMALL = 48;

/** The most bytes that the server takes; 0 if it takes no files. */
const MOST = Number(document.body.dataset.upload ?? 0);

const isOfFiles = ({ dataTransfer }) => MOST > 0 && [...(dataTransfer?.items ?? [])].some(({ kind }) => kind === "file");

export class Attach {
  #list = document.getElementById("attached");
  #files = [];
  #changed;
  #refuse;

  /** `text` is the field of the message; `changed()` when files came or went; `refuse(sentence)` if one can't be sent. */
  constructor({ text, changed, refuse }) {
    this.#changed = changed;
    this.#refuse = refuse;
    if (MOST === 0) return;
    const input = document.getElementById("file");
    input.multiple = true;
    document.getElementById("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#add([...input.files]);
      input.value = "";
      text.focus();
    });
    text.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData;
      // Some programs copy a text as a picture too.
      const isText = types.includes("text/plain") && types.includes("text/html");
      if (files.length === 0 || isText) return;
      event.preventDefault();
      this.#add([...files]);
    });
    addEventListener("dragover", (event) => {
      if (!isOfFiles(event)) return;
      event.preventDefault();
      document.body.classList.add("drops");
    });
    addEventListener("dragleave", ({ relatedTarget }) => relatedTarget === null && document.body.classList.remove("drops"));
    addEventListener("drop", (event) => {
      document.body.classList.remove("drops");
      if (!isOfFiles(event)) return;
      event.preventDefault();
      this.#add([...event.dataTransfer.files]);
      text.focus();
    });
  }

  get count() {
    return this.#files.length;
  }

  /** The files, each `{blob, name, bytes, width, height}`. They are gone from here. */
  take() {
    const files = this.#files.map(({ row, ...file }) => (row.remove(), file));
    this.#files = [];
    this.#show();
    return files;
  }

  async #add(files) {
    for (const file of files) {
      try {
        await this.#addOne(file);
      } catch (error) {
        this.#refuse(phrase("said", { name: file.name, text: error.message }));
      }
    }
  }

  async #addOne(given) {
    // A folder is none, and can't be read.
    const blob = await strip(given);
    if (blob.size === 0) throw new Error(phrase("file.empty"));
    if (blob.size > MOST) throw new Error(phrase("file.large", { size: sizeOf(blob.size), most: sizeOf(MOST) }));
    const bitmap = await (/^image\/(?!svg)/.test(blob.type) ? createImageBitmap(blob).catch(() => null) : null);
    const { name, size: bytes } = blob;
    const file = { blob, name, bytes, width: bitmap?.width, height: bitmap?.height };
    file.row = this.#row(file, bitmap);
    this.#files.push(file);
    this.#list.append(file.row);
    this.#show();
    tell(phrase("attached.done", { name }));
  }

  #row(file, bitmap) {
    const remove = () => {
      this.#files = this.#files.filter((other) => other !== file);
      file.row.remove();
      this.#show();
      document.getElementById("message").focus();
    };
    const label = phrase("attached.remove", { name: file.name });
    const button = element("button", { type: "button", class: "icon", "aria-label": label, on: { click: remove } }, icon("close"));
    return element("li", {}, small(bitmap), element("bdi", {}, file.name), element("span", {}, sizeOf(file.bytes)), button);
  }

  #show() {
    this.#list.hidden = this.#files.length === 0;
    this.#changed();
  }
}

function small(bitmap) {
  if (!bitmap) return icon("file");
  const scale = SMALL / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = element("canvas", { width, height, "aria-hidden": "true" });
  draw(canvas, bitmap);
  return canvas;
}

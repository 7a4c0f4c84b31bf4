// Takes out of a picture what tells more than the picture: where it was taken, when, by whom and by what. The bytes that
// it is drawn from stay as they are.

import { phrase } from "./phrase.js";

/** The chunks of a PNG that it is drawn from, beside those that every program must know. */
const PNG = new Set("acTL cICP cHRM fcTL fdAT gAMA iCCP pHYs sBIT sRGB tRNS bKGD hIST sPLT".split(" "));

/** The same of a WebP. */
const WEBP = new Set(["VP8X", "VP8 ", "VP8L", "ANIM", "ANMF", "ALPH", "ICCP"]);

/** What a WebP says of itself if it has Exif or XMP. */
const WEBP_TELLS = 0b1100;

const EXIF = /^Exif\0\0/;

/** Pictures in which nothing of this stands, or which nobody is shown. */
const PLAIN = /^image\/(?:gif|svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)$/;

/** A file, without what a picture tells. Throws an error with a sentence if it may still tell it. */
export async function strip(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  if (kind === null) return mayTell(file, bytes) ? redraw(file) : file;
  try {
    return new File(kind(bytes, new DataView(bytes.buffer)), file.name, { type: file.type });
  } catch {
    // It is not as it should be, or is turned in a way that would be lost.
    return redraw(file);
  }
}

const letters = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

function kindOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpeg;
  if (letters(bytes, 1, 8) === "PNG\r\n\x1a\n") return png;
  return letters(bytes, 0, 4) === "RIFF" && letters(bytes, 8, 12) === "WEBP" ? webp : null;
}

/** Whether it is a picture of another kind, such as a phone's HEIC. */
function mayTell({ type }, bytes) {
  const isBoxed = letters(bytes, 4, 8) === "ftyp" && /^(?:hei|hev|mif|msf|avi)/.test(letters(bytes, 8, 12));
  const isTiff = /^(?:II\*\0|MM\0\*)$/.test(letters(bytes, 0, 4));
  return isBoxed || isTiff || (type.startsWith("image/") && !PLAIN.test(type));
}

/** Draws a picture anew, in pixels. */
async function redraw(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap?.width ?? 0, bitmap?.height ?? 0];
  const type = /png|webp/.test(file.type) ? "image/png" : "image/jpeg";
  if (bitmap) canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const blob = bitmap && (await new Promise((resolve) => canvas.toBlob(resolve, type, 0.92)));
  if (!blob) throw new Error(phrase("file.tells"));
  return new File([blob], `${file.name.replace(/\.[^.]*$/, "")}.${type === "image/png" ? "png" : "jpg"}`, { type });
}

function jpeg(bytes, view) {
  const kept = [bytes.subarray(0, 2)];
  let at = 2;
  while (at < bytes.length) {
    if (bytes[at] !== 0xff) throw new RangeError();
    const kind = bytes[at + 1];
    // More of these may stand before a segment.
    if (kind === 0xff) {
      at += 1;
      continue;
    }
    // Behind the end a phone may hide a film.
    if (kind === 0xd9) return [...kept, bytes.subarray(at, at + 2)];
    const end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length) throw new RangeError();
    const turned = kind === 0xe1 && EXIF.test(letters(bytes, at + 4, at + 10)) ? orientation(view, at + 10, end) : 1;
    if (turned > 1) kept.push(turnedBy(turned));
    else if (jpegKeeps(kind, letters(bytes, at + 4, Math.min(at + 15, end)))) kept.push(bytes.subarray(at, end));
    at = end;
    if (kind !== 0xda) continue;
    while (at < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0 && (bytes[at + 1] & 0xf8) !== 0xd0)) at += 1;
    kept.push(bytes.subarray(end, at));
  }
  return kept;
}

/** Whether a segment is one that the picture is drawn from. */
function jpegKeeps(kind, begins) {
  if (kind === 0xfe) return false;
  if ((kind & 0xf0) !== 0xe0) return true;
  return /^(?:JFIF\0|ICC_PROFILE|Adobe)/.test(begins);
}

/** How a camera was held, by its Exif: 1 is upright. */
function orientation(view, from, end) {
  const isLittle = view.getUint16(from) === 0x4949;
  const table = from + view.getUint32(from + 4, isLittle);
  const count = view.getUint16(table, isLittle);
  for (let at = table + 2; at < table + 2 + 12 * count && at + 12 <= end; at += 12) {
    const value = view.getUint16(at + 8, isLittle);
    if (view.getUint16(at, isLittle) === 0x112) return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Exif that says nothing but how the camera was held. */
function turnedBy(orientation) {
  const begin = [0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  return new Uint8Array([...begin, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
}

function png(bytes, view) {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const end = at + 12 + view.getUint32(at);
    const kind = letters(bytes, at + 4, at + 8);
    if (end > bytes.length) throw new RangeError();
    if (kind === "eXIf" && orientation(view, at + 8, end) > 1) throw new RangeError();
    if (/^[A-Z]/.test(kind) || PNG.has(kind)) kept.push(bytes.subarray(at, end));
    if (kind === "IEND") break;
    at = end;
  }
  return kept;
}

function webp(bytes, view) {
  const kept = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size % 2);
    const kind = letters(bytes, at, at + 4);
    if (end > bytes.length) throw new RangeError();
    if (kind === "EXIF") {
      const from = at + 8 + (EXIF.test(letters(bytes, at + 8, at + 14)) ? 6 : 0);
      if (orientation(view, from, end) > 1) throw new RangeError();
    }
    if (kind === "VP8X") bytes[at + 8] &= ~WEBP_TELLS;
    if (WEBP.has(kind)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  view.setUint32(4, kept.reduce((sum, { length }) => sum + length, 4), true);
  return [bytes.subarray(0, 12), ...kept];
}

// The server's limits, measured in the same way: the server refuses nothing that the page accepts.

import { later } from "./later.js";
import { phrase } from "./phrase.js";

/** The longest message, in bytes of UTF-8. It is sent as it is, without quotes or escapes around it. */
const TEXT_BYTES = 64 * 1024;

/** The longest name of a person or a room, in characters. */
const NAME_LETTERS = 64;

/** Invisible, or changes the direction of the text around it. Joiners are not here: they are parts of words. */
const UNSEEN =
  /[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

/** Such a character makes a text visible. It is found without the patterns of whole scripts, which take long to make. */
const PLAIN = /[!-~]/;

/** So do most people name rooms. */
const PLAIN_ROOM = /^[\w-][\w.-]*$/;

const SEEN = new RegExp(`(?!${UNSEEN.source})[^\\s\\p{Cc}\\p{M}\\u200c\\u200d]`, "u");

/** A letter of a script that uses joiners, and a picture that can be joined to another. */
const JOINED =
  "(?:(?=[\\p{Alphabetic}\\p{M}])[\\u0600-\\u0dff\\u1000-\\u109f\\u1780-\\u18af\\ua8e0-\\ua8ff\\ua9e0-\\ua9ff\\uaa60-\\uaa7f\\u{11000}-\\u{11fff}\\u{1e900}-\\u{1e95f}])";
const PICTURE = "\\u2190-\\u2bff\\u{1f000}-\\u{1faff}";

const JOINS_LETTERS = `(?<=${JOINED})[\\u200c\\u200d](?=${JOINED})`;
const joiners = later(() => new RegExp(`${JOINS_LETTERS}|(?<=[${PICTURE}\\ufe0f])[\\u200c\\u200d](?=[${PICTURE}])`, "gu"));

const roomName = later(() => new RegExp(`^(?!\\.{1,2}$)(?:[\\p{Alphabetic}\\p{N}\\p{M}._-]|${JOINS_LETTERS})+$`, "u"));

/** How many bytes a text has over the limit of a message. */
export function bytesOver(text) {
  return Math.max(0, new TextEncoder().encode(text).length - TEXT_BYTES);
}

/** Whether a text has a visible character. */
export function isSeen(text) {
  return PLAIN.test(text) || (text !== "" && SEEN.test(text));
}

/** Why nobody can have this name, in a sentence; `null` if somebody can. It is trimmed, and in NFC. */
export function nameFault(name) {
  if (name === "") return phrase("name.none");
  if ([...name].length > NAME_LETTERS) return phrase("name.long", { count: NAME_LETTERS });
  // Joiners that join nothing are invisible.
  const others = /[\u200c\u200d]/.test(name) ? name.replace(joiners(), "") : name;
  const isShown = !/[\p{Cc}\p{Cs}\u200c\u200d]/u.test(others) && !UNSEEN.test(name) && isSeen(name);
  return isShown ? null : phrase("name.unseen");
}

/** Whether a room can have this name. It is in NFC. */
export function isRoomName(name) {
  const isPlain = PLAIN_ROOM.test(name);
  return (isPlain || (roomName().test(name) && !UNSEEN.test(name) && isSeen(name))) && [...name].length <= NAME_LETTERS;
}

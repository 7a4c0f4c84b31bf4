// The rooms that this browser follows: those that were read here, until they are left or muted. A muted room stays
// in the list and is quiet; a left one goes.
//
//   read/ROOM      the message up to which it was read
//   opened/ROOM    when it was last looked at
//   muted/ROOM     true
//   all/ROOM       true, if each message there gives notice
//   left/ROOM      true, until it is opened again

import { keep, keysUnder, recall, watchUnder } from "./kept.js";
import { isRoomName } from "./limits.js";

const KINDS = ["read", "opened", "muted", "all", "left"];

const listeners = [];

function change(kind, room, value) {
  if (recall(`${kind}/${room}`) === value) return;
  keep(`${kind}/${room}`, value);
  for (const listen of listeners) listen();
}

/** Calls back when anything of this changes, here or in another tab. */
export function onFollowed(changed) {
  listeners.push(changed);
  for (const kind of KINDS) watchUnder(`${kind}/`, changed);
}

/** The room is looked at. */
export function openRoom(room) {
  change("left", room, null);
  change("opened", room, Date.now());
}

/** Everything up to this message was read. */
export function markRead(room, id) {
  change("read", room, id);
}

/** The message up to which the room was read, or null. */
export function readUpTo(room) {
  return recall(`read/${room}`);
}

export function isMuted(room) {
  return recall(`muted/${room}`) === true;
}

/** What gives notice in a room: `all` messages, `mentions` of the reader, or `none`, if it is muted. */
export function noticesOf(room) {
  if (isMuted(room)) return "none";
  return recall(`all/${room}`) === true ? "all" : "mentions";
}

export function setNotices(room, of) {
  change("muted", room, of === "none" || null);
  change("all", room, of === "all" || null);
}

export function leaveRoom(room) {
  change("left", room, true);
}

/** The rooms that were read here and not left, the newest first. */
export function visited() {
  const rooms = keysUnder("read/").map((key) => key.slice("read/".length));
  const opened = new Map(rooms.map((room) => [room, recall(`opened/${room}`, 0)]));
  return rooms
    .filter((room) => isRoomName(room) && recall(`left/${room}`) === null)
    .sort((a, b) => opened.get(b) - opened.get(a));
}

/** The rooms whose news this browser wants although no tab is open there, the newest first. */
export function followed() {
  return visited().filter((room) => !isMuted(room));
}

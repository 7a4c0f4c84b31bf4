// Private rooms: their names are secrets, and they are known by their topic.

import { keep, recall, watchUnder } from "./kept.js";
import { phrase } from "./phrase.js";

const PRIVATE = /^private-[a-z2-7]{26}$/;

export function isPrivate(room) {
  return PRIVATE.test(room);
}

/** What the room is called where others may look. */
export function shownRoom(room) {
  return isPrivate(room) ? (recall(`topic/${room}`) ?? phrase("room.private")) : room;
}

const listeners = [];

/** Calls back when a private room has another topic, as this tab or another has heard. */
export function onTopic(changed) {
  listeners.push(changed);
  watchUnder("topic/", changed);
}

/** This browser has heard the topic of a room. */
export function keepTopic(room, topic) {
  if (!isPrivate(room) || recall(`topic/${room}`, "") === topic) return;
  keep(`topic/${room}`, topic || null);
  for (const changed of listeners) changed();
}

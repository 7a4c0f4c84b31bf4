// A room in the list of rooms.

import { tell } from "./announce.js";
import { element, hue, icon, initial } from "./element.js";
import { leaveRoom, setNotices } from "./followed.js";
import { phrase } from "./phrase.js";
import { roomAddress } from "./site.js";
import { lately } from "./time.js";
import { shown } from "./unread.js";

/** What may give notice in a room, by `noticesOf`: the keys of phrases. */
const CHOICES = { all: "room.notices.all", mentions: "room.notices.mentions", none: "room.notices.none" };

/** `toggle()` shows or hides what can be done with the room. */
export function roomRow({ room, called, people, at, current, visited, notices, unread, opened }, { toggle }) {
  const muted = notices === "none";
  const known = [muted && phrase("room.muted"), people > 0 && phrase("room.people", { count: people }), at && lately(at)].filter(Boolean);
  const facts = known.flatMap((fact) => [" · ", element("bdi", {}, fact)]).slice(1);
  const link = element(
    "a",
    { href: roomAddress(room), "aria-current": current && "page" },
    element("span", { class: `avatar square h${hue(called)}`, "aria-hidden": "true" }, initial(called)),
    // All of it is read in the direction of the name, from which facts in `bdi` do not distract.
    element("span", { class: "about", dir: "auto" }, element("b", {}, called), element("small", {}, ...facts)),
    unread > 0 && element("span", { class: "badge", "aria-label": phrase("unread", { n: unread, count: shown(unread) }) }, shown(unread)),
  );
  const row = element("li", { "data-room": room, class: muted && "muted" }, link);
  if (!visited && !current) return row;
  const more = element(
    "button",
    {
      type: "button",
      class: "icon more",
      "aria-expanded": String(opened),
      "aria-label": phrase("room.more", { room: called }),
      on: { click: toggle },
    },
    icon("more"),
  );
  row.append(more);
  if (opened) row.append(options(room, called, { notices, canLeave: !current }));
  return row;
}

function options(room, called, { notices, canLeave }) {
  const choose = (of) => {
    setNotices(room, of);
    if (of === "none") tell(phrase("room.mute.done", { room: called }));
    if (notices === "none") tell(phrase("room.mute.undone", { room: called }));
  };
  const choices = Object.entries(CHOICES).map(([of, key]) => {
    const attributes = { type: "radio", name: `notices-${room}`, checked: of === notices };
    return element("label", {}, element("input", { ...attributes, on: { change: () => choose(of) } }), phrase(key));
  });
  const leave = () => {
    leaveRoom(room);
    tell(phrase("room.left", { room: called }));
  };
  return element(
    "div",
    { class: "options" },
    element(
      "fieldset",
      { "aria-label": phrase("room.notices.label", { room: called }) },
      element("legend", {}, phrase("room.notices")),
      ...choices,
    ),
    // A room is left from another one.
    canLeave && element("button", { type: "button", "aria-label": phrase("room.leave.label", { room: called }), on: { click: leave } }, phrase("room.leave")),
  );
}

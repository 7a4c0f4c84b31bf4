// A room in the list of rooms.

import { tell } from "./announce.js";
import { element, hue, icon, initial } from "./element.js";
import { leaveRoom, setMuted } from "./followed.js";
import { roomAddress } from "./site.js";
import { lately } from "./time.js";
import { shown } from "./unread.js";

/** `toggle()` shows or hides what can be done with the room. */
export function roomRow({ room, people, at, current, visited, muted, unread, opened }, { toggle }) {
  const here = people === 1 ? "1 person" : `${people} people`;
  const known = [muted && "Muted", people > 0 && here, at && lately(at)].filter(Boolean);
  const facts = known.flatMap((fact) => [" · ", element("bdi", {}, fact)]).slice(1);
  const link = element(
    "a",
    { href: roomAddress(room), "aria-current": current && "page" },
    element("span", { class: `avatar square h${hue(room)}`, "aria-hidden": "true" }, initial(room)),
    // All of it is read in the direction of the name, from which facts in `bdi` do not distract.
    element("span", { class: "about", dir: "auto" }, element("b", {}, room), element("small", {}, ...facts)),
    unread > 0 && element("span", { class: "badge", "aria-label": `${shown(unread)} unread` }, shown(unread)),
  );
  const row = element("li", { "data-room": room, class: muted && "muted" }, link);
  if (!visited && !current) return row;
  const more = element(
    "button",
    {
      type: "button",
      class: "icon more",
      "aria-expanded": String(opened),
      "aria-label": `Mute or leave ${room}`,
      on: { click: toggle },
    },
    icon("more"),
  );
  row.append(more);
  if (opened) row.append(options(room, { muted, canLeave: !current }));
  return row;
}

function options(room, { muted, canLeave }) {
  const button = (words, click) =>
    element("button", { type: "button", "aria-label": `${words} ${room}`, on: { click } }, words);
  const mute = () => {
    setMuted(room, !muted);
    tell(muted ? `${room} is no longer muted.` : `${room} is muted.`);
  };
  const leave = () => {
    leaveRoom(room);
    tell(`You have left ${room}.`);
  };
  return element(
    "div",
    { class: "options" },
    button(muted ? "Unmute" : "Mute", mute),
    // A room is left from another one.
    canLeave && button("Leave", leave),
  );
}

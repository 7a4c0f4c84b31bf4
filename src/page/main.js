// The page of a room: puts its parts together.

import { Actions } from "./actions.js";
import { Address } from "./address.js";
import { announce, takeBack, tell } from "./announce.js";
import { Attention } from "./attention.js";
import { adopt } from "./backlog.js";
import { Bell } from "./bell.js";
import { Bus } from "./bus.js";
import { isChange } from "./changes.js";
import { copyText } from "./clipboard.js";
import { Composer } from "./composer.js";
import { copyWhole } from "./copy.js";
import { goToDays } from "./days.js";
import { Editing } from "./editing.js";
import { Election } from "./election.js";
import { hue, initial } from "./element.js";
import { home, keepFocus } from "./focus.js";
import { Follower } from "./follower.js";
import { Hub } from "./hub.js";
import { InForce } from "./inforce.js";
import { makeRoom } from "./keyboard.js";
import { keep, recall, watch } from "./kept.js";
import { afterPaint } from "./later.js";
import { nameFault } from "./limits.js";
import { hasForms, keepForms } from "./locale.js";
import { Log } from "./log.js";
import { tellNeeds } from "./needs.js";
import { note } from "./note.js";
import { Offline } from "./offline.js";
import { Operator } from "./operator.js";
import { Outbox } from "./outbox.js";
import { Past } from "./past.js";
import { People } from "./people.js";
import { phrase } from "./phrase.js";
import { keepClicks } from "./press.js";
import { isPresence } from "./presence.js";
import { Quotes } from "./quote.js";
import { Rooms } from "./rooms.js";
import { continues, outboxRow, plainRow } from "./rows.js";
import { Search } from "./search.js";
import { addressOf, share } from "./share.js";
import { tellDates } from "./stamp.js";
import { Status } from "./status.js";
import { onNewDay } from "./time.js";
import { layPanels } from "./wide.js";
import { messageAt } from "./wire.js";

// `told` is the name that a proxy knows the reader by, who can't change it.
const { room, next, address, told } = document.body.dataset;
const scroller = document.getElementById("log");
const place = document.getElementById("chunks");

let name = told ?? recall("name");
// An earlier version of the page accepted names that the server refuses.
if (typeof name !== "string" || nameFault(name) !== null) name = null;
let said = false;
let isTaken = false;
let waiting = new Map();
const failed = new Set();
const speakers = new Set();
const context = { me: () => name, isOwn: (id) => outbox.isOwn({ id }), names: known, changing: (id) => outbox.changeOf(id), quoted: (id) => quotes.of(id), open: (id) => here.go(id) };

tellNeeds();
document.documentElement.classList.add("ready");
const backlog = adopt(place);
const log = new Log(scroller, place, context);
const quotes = new Quotes(room, log);
const outbox = new Outbox(room, {
  changed: showOutbox,
  settled,
  taken,
  position: () => follower.position,
  out: () => follower.prod(),
  progress: (id, part) => {
    const bar = document.querySelector(`[data-sends="${CSS.escape(id)}"]`);
    if (bar) bar.value = part;
  },
  token: () => operator.token,
});
const operator = new Operator(room, operates);
const people = new People(room, context.me, operator);
const inForce = new InForce(room, context.me, operator);
const attention = new Attention(room, log, scroller);
const past = new Past(room, log, scroller, (message) => outbox.isOwn(message));
const here = new Address(room, log, past);
const editing = new Editing(log, outbox, () => composer, () => operator.is);
const composer = new Composer({ room, name, names: mentionable, named, say, ...editing.asked });
new Actions(scroller, log, [
  { icon: "reply", label: phrase("message.reply"), key: "r", fits: ({ deleted }) => !deleted, run: (message) => composer.answer(message) },
  { icon: "edit", label: phrase("message.edit"), key: "e", fits: (message) => editing.may(message), run: (message) => editing.edit(message) },
  { icon: "delete", label: phrase("message.delete"), key: "Delete", fits: (message) => editing.may(message), run: (message) => editing.change(message, "") },
  { icon: "chain", label: phrase("message.link"), key: "c", fits: () => true, run: copyLink },
]);

take({ messages: backlog, gap: false });
composer.resume((id) => outbox.find(id) ?? messageOf(outbox.cursorOf(id) ?? id)).catch(() => {});
attention.start((id) => past.reach(id)).then(() => here.open()).then(() => past.look());
showMe();
layPanels();
makeRoom();
copyWhole(scroller);
tellDates(scroller);
goToDays(room, scroller, (id) => here.go(id));
document.getElementById("down").addEventListener("click", () => here.leave());
keepClicks();
document.getElementById("removed-again").addEventListener("click", () => location.reload());
share(room, address);
new Search(room, (id) => here.go(id));
const bus = new Bus();
const rooms = new Rooms(room, bus, context.me, (unread) => (attention.elsewhere = unread));
if (told === undefined) watch("name", renamed);
foldPresence();
onNewDay(() => {
  log.tellDays();
  people.show();
  rooms.show();
});

const tab = Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(36)).join("-");
const bell = new Bell({ bus, tab, room, changed: () => follower.sense() });
const hub = new Hub(bus, { tab, me: context.me, errands: bell.errands });
// Before the election: a page that closes leaves its room first, and then passes the hub on.
const senses = () => bell.senses;
const follower = new Follower({ bus, tab, room, next, name, take: news, taken, silent: () => election.takeOver(), senses });
new Status(bus, room, { up: reached, prod: () => follower.prod(), tell });
const election = new Election(bus, tab, (signal) => hub.lead(signal));
new Offline({ room, log, bus, position: () => follower.position });
outbox.flush();
// They may have changed since the last visit.
if (hasForms()) setTimeout(keepForms, 5_000);
else afterPaint(keepForms);
document.documentElement.classList.add("running");

/** New messages from the poll. */
function news({ messages, gap }) {
  take({ messages, gap });
  const others = messages.filter(({ kind, own, deleted }) => kind === "message" && !own && !deleted);
  attention.came(others);
  announce(others);
  if (messages.some(isPresence)) people.look();
}

function take({ messages, gap }) {
  for (const message of messages) {
    if (message.kind !== "message") continue;
    // The others' messages, which are most of many, need less memory without a further property.
    if (outbox.isOwn(message) || outbox.claims(message)) message.own = true;
    outbox.take(message);
    said = true;
    if (message.name !== null) speakers.add(message.name);
  }
  if (inForce.take(messages, gap)) outbox.flush();
  log.append(messages.filter((message) => !isChange(message)), gap);
  takeChanges(messages.filter(isChange));
  showOutbox();
}

function takeChanges(changes) {
  if (changes.length === 0) return;
  takeBack();
  for (const entry of changes) outbox.take(entry);
  log.change(changes);
  quotes.change(changes);
  for (const { of, kind } of changes) {
    if (composer.changed(of, kind === "deleted")) tell(phrase("edit.deleted"));
  }
}

/** The server is reached again. */
function reached() {
  outbox.flush();
  quotes.again();
}

function messageOf(id) {
  return log.find(id) ?? messageAt(room, id);
}

async function copyLink({ id }) {
  await copyText(addressOf(room, address, id));
  note(phrase("message.link.copied"));
}

/** An own message has its place in the room. Perhaps another was wrongly taken for it. */
function settled(cursor, claimed) {
  if (claimed && claimed !== cursor) log.setOwn(claimed, false);
  if (log.hasChange(cursor)) outbox.take({ id: cursor });
  if (!log.has(cursor)) return;
  log.setOwn(cursor, true);
  outbox.take({ id: cursor });
}

/** Shows messages on their way. Unchanged rows stay: there may be many, and each may be long. */
function showOutbox() {
  keepFocus(renewOutbox, home);
  editing.show();
  composer.moved((id) => outbox.cursorOf(id));
  for (const { id, state, reason } of outbox.entries) {
    if (state !== "failed") failed.delete(id);
    else if (!failed.has(id)) {
      failed.add(id);
      tell(phrase("message.failed.why", { reason }));
    }
  }
}

function renewOutbox() {
  let before = log.newest;
  const rows = new Map();
  // A change that is on its way shows at its message.
  for (const entry of outbox.entries.filter(({ kind, state }) => !kind || state === "failed")) {
    const change = outbox.changeOf(entry.cursor ?? entry.id) ?? entry;
    const text = change.kind === "deleted" ? phrase("outbox.delete") : change.text;
    const message = { ...entry, text, id: null, kind: "message", own: true };
    const first = !continues(before, message);
    const key = [entry.id, change.id, entry.state, entry.reason, first].join("\n");
    rows.set(key, waiting.get(key) ?? rowOf(message, entry.id, first));
    before = message;
  }
  for (const [key, row] of waiting) if (!rows.has(key)) row.remove();
  waiting = rows;
  const box = document.getElementById("outbox");
  let next = box.firstElementChild;
  for (const row of rows.values()) {
    if (row === next) next = next.nextElementSibling;
    else box.insertBefore(row, next);
  }
  const isSilent = !said && rows.size === 0;
  document.getElementById("empty").hidden = !isSilent;
  document.body.classList.toggle("silent", isSilent);
}

function rowOf(message, id, first) {
  const retry = () => outbox.retry(id);
  const discard = () => outbox.discard(id);
  const edit = () => {
    discard();
    composer.edit(message.text);
  };
  try {
    return outboxRow(message, { first, context, sends: id, retry, edit, discard });
  } catch (error) {
    console.error(error);
    return plainRow(message);
  }
}

function say(text, answered, [first, ...others]) {
  attention.spoke();
  here.leave();
  outbox.add(text, name, answered, first);
  for (const file of others) outbox.add("", name, undefined, file);
  log.toEnd();
}

function named(given) {
  keep("name", given);
  if (given === name && isTaken) settle();
  else renamed(given);
  outbox.resay(given);
}

/** The reader has become the operator, or is no more; or others were muted. */
function operates() {
  people.show();
  inForce.show();
}

/** Somebody else has the name in this room, or the reader was removed from it. */
function taken(which, sentence, removed) {
  if (which !== name || isTaken) return;
  if (removed) {
    document.body.classList.add("removed");
    document.getElementById("removed-why").textContent = sentence;
    document.getElementById("removed").hidden = false;
    return;
  }
  isTaken = true;
  composer.refuseName(sentence);
}

function renamed(given) {
  if (given === null || given === name) {
    if (!isTaken) composer.show(name);
    return;
  }
  name = given;
  settle();
}

/** The reader goes by this name from now on. */
function settle() {
  isTaken = false;
  composer.show(name);
  follower.rename(name);
  showMe();
  people.show();
  log.refreshAll();
}

function showMe() {
  const me = document.getElementById("me");
  me.hidden = name === null;
  if (name === null) return;
  me.className = `avatar h${hue(name)}`;
  me.textContent = initial(name);
  me.disabled = told !== undefined;
  me.setAttribute("aria-label", phrase(me.disabled ? "name.me" : "name.change", { name }));
}

/** The names that a mention may mean: who is here, and who has spoken. */
function known() {
  return [...new Set([...people.names, ...speakers])];
}

function mentionable() {
  return known().filter((other) => other !== name);
}

function foldPresence() {
  const box = document.getElementById("fold");
  const show = (shown) => {
    box.checked = shown;
    document.body.classList.toggle("quiet", !shown);
  };
  box.addEventListener("change", () => {
    keep("presence", box.checked);
    show(box.checked);
  });
  watch("presence", show);
  show(recall("presence", true));
}

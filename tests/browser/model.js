// The page's polling against a model of the server: several tabs of one browser in one script, on a clock of its own.
//
// Everything that takes time (a request, its answer, a word from tab to tab) takes a random time. So one seed is one
// order of events, and can be repeated.

/** A clock that jumps from one event to the next. */
class Clock {
  now = 1_700_000_000_000;
  #events = new Map();
  #last = 0;

  set(run, delay = 0) {
    this.#last += 1;
    this.#events.set(this.#last, { due: this.now + Math.max(0, delay), run });
    return this.#last;
  }

  clear(id) {
    this.#events.delete(id);
  }

  async pass(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      let first = null;
      for (const [id, event] of this.#events)
        if (event.due <= end && (first === null || event.due < first.due)) first = { id, ...event };
      if (first === null) break;
      this.#events.delete(first.id);
      this.now = first.due;
      first.run();
      await settled();
    }
    this.now = end;
  }
}

/** Waits until all promises that can go on have gone on. */
function settled() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The server: rooms, cursors of one room (`e-3`) and of several (`e~a-3~b-5`), and requests that wait. */
class ModelServer {
  rooms = new Map();
  requests = new Set();
  honest = true;
  #clock;
  #random;
  #limit;

  constructor(clock, random) {
    this.#clock = clock;
    this.#random = random;
    this.#limit = 1 + random(6);
  }

  room(name) {
    if (!this.rooms.has(name)) this.rooms.set(name, { kept: [], latest: 0 });
    return this.rooms.get(name);
  }

  say(name) {
    const room = this.room(name);
    room.latest += 1;
    const kind = this.#random(5) === 0 ? "joined" : "message";
    room.kept.push({ room: name, id: `e-${room.latest}`, kind, name: "ben", text: "", at: "2026-01-01T00:00:00Z" });
    for (const request of [...this.requests]) request.look();
  }

  /** Forgets the oldest messages of a room. */
  forget(name) {
    const room = this.room(name);
    room.kept = room.kept.slice(-this.#random(3));
  }

  /** Ends every request that waits. */
  kill() {
    for (const request of [...this.requests]) request.fail();
  }

  fetch = (address, { signal }) =>
    new Promise((resolve, reject) => {
      const away = () => 1 + this.#random(this.#random(4) === 0 ? 900 : 90);
      const { pathname, searchParams } = new URL(address, location.origin);
      const names = pathname.split("/")[2].split(",").map(decodeURIComponent);
      const asked = Object.fromEntries(searchParams);
      const request = {
        look: () => {
          const reply = this.#answer(names, asked);
          if (reply.status === 204 && !request.over) return;
          request.end();
          // The answer may be lost.
          const lost = !this.honest && this.#random(12) === 0;
          this.#clock.set(() => (lost ? reject(new TypeError("lost")) : resolve(reply)), away());
        },
        fail: () => {
          request.end();
          this.#clock.set(() => reject(new TypeError("killed")), away());
        },
        end: () => {
          this.requests.delete(request);
          this.#clock.clear(request.timer);
        },
        over: Number(asked.wait) === 0,
      };
      signal.addEventListener("abort", () => {
        request.gone = true;
        request.end();
        reject(new DOMException("aborted", "AbortError"));
      });
      this.#clock.set(() => {
        if (request.gone) return;
        if (!this.honest && this.#random(12) === 0) {
          reject(new TypeError("lost"));
          return;
        }
        request.places = this.#places(names, asked);
        asked.places = request.places;
        if (request.places === null) {
          resolve(answer(400, { type: "urn:comet-chat:bad-cursor", detail: "No." }));
          return;
        }
        this.requests.add(request);
        request.timer = this.#clock.set(() => {
          request.over = true;
          request.look();
        }, asked.wait * 1000);
        request.look();
      }, away());
    });

  /** Where each room is read from: a number, or the last messages. */
  #places(names, { after, last }) {
    const latest = (name) => this.room(name).latest;
    if (last) return new Map(names.map((name) => [name, { last: Number(last), from: latest(name) }]));
    const several = after.includes("~");
    const held = new Map(several ? after.split("~").slice(1).map((place) => place.split("-")) : [[names[0], after.split("-")[1]]]);
    if ((!several && names.length > 1) || !names.some((name) => held.has(name))) return null;
    return new Map(names.map((name) => [name, { from: Number(held.get(name) ?? latest(name)) }]));
  }

  #answer(names, { places }) {
    const messages = [];
    const gaps = [];
    const next = new Map();
    for (const name of names) {
      const { from, last = 0 } = places.get(name);
      const { kept, latest } = this.room(name);
      const place = from - last;
      const after = kept.filter(({ id }) => number(id) > place);
      if (!last && place < latest && number(kept[0]?.id ?? `e-${latest + 1}`) > place + 1) gaps.push(name);
      const fit = after.slice(0, Math.max(0, this.#limit - messages.length));
      messages.push(...fit);
      const end = fit.at(-1) ? number(fit.at(-1).id) : after.length > 0 ? number(after[0].id) - 1 : latest;
      next.set(name, end);
    }
    const cursor = names.length === 1 ? `e-${next.get(names[0])}` : `e${[...next].map(([name, n]) => `~${name}-${n}`).join("")}`;
    if (messages.length === 0 && gaps.length === 0) return answer(204, null, { "Chat-Cursor": cursor });
    return answer(200, { room: names.join(), messages, next: cursor, gap: gaps.length > 0, gaps });
  }
}

const number = (id) => Number(id.split("-")[1]);

function answer(status, body, headers = {}) {
  return {
    status,
    ok: status < 300,
    headers: new Headers(headers),
    text: async () => (body === null ? "" : JSON.stringify(body)),
  };
}

/** The words between the tabs: from one tab to another in order, each after a while. */
class ModelBus {
  alone = false;
  #listeners = new Map();
  #last = new Map();

  constructor(buses, clock, random) {
    Object.assign(this, { buses, clock, random });
    buses.add(this);
  }

  on(is, listener) {
    this.#listeners.set(is, [...(this.#listeners.get(is) ?? []), listener]);
  }

  post(word) {
    // A tab that is closed says nothing.
    if (!this.buses.has(this)) return;
    queueMicrotask(() => this.deliver(word));
    for (const other of this.buses) {
      if (other === this) continue;
      const due = Math.max(this.#last.get(other) ?? 0, this.clock.now + this.random(60));
      this.#last.set(other, due);
      const copy = structuredClone(word);
      this.clock.set(() => other.deliver(copy), due - this.clock.now);
    }
  }

  deliver(word) {
    if (!this.buses.has(this)) return;
    for (const listener of this.#listeners.get(word.is) ?? []) listener(word);
  }
}

/** Tabs that open and close at random, over a line that fails at random. Throws if a tab sees something wrong. */
export async function play(seed, steps) {
  const { randomFrom } = await import("/source/chance.js");
  const random = randomFrom(seed);
  const clock = new Clock();
  const server = new ModelServer(clock, random);
  localStorage.clear();
  globalThis.setTimeout = (run, delay) => clock.set(run, delay);
  globalThis.clearTimeout = (id) => clock.clear(id);
  Date.now = () => clock.now;
  globalThis.fetch = server.fetch;
  Object.defineProperty(navigator, "sendBeacon", { configurable: true, value: () => true });

  const { Hub } = await import("/source/hub.js");
  const { Follower } = await import("/source/follower.js");
  const { followed, leaveRoom, markRead, openRoom, readUpTo, setNotices } = await import("/source/followed.js");

  const names = ["a", "b", "c", "d", "e", "f"];
  const buses = new Set();
  const tabs = new Set();
  let opened = 0;
  let unread = new Map();
  const forgot = new Set();

  const fail = (what) => {
    throw new Error(`seed ${seed}: ${what}`);
  };

  const lead = (tab) => {
    if (!tabs.has(tab)) return;
    // Sometimes the tab that polled before goes on for a while.
    const before = [...tabs].filter(({ term }) => term);
    const stop = () => before.forEach((other) => other !== tab && (other.term?.abort(), (other.term = null)));
    if (random(3) === 0) clock.set(stop, random(3_000));
    else stop();
    if (tab.term) return;
    tab.term = new AbortController();
    tab.hub.lead(tab.term.signal);
  };

  const open = (room) => {
    opened += 1;
    const start = server.room(room).latest;
    const tab = { id: `tab-${opened}`, room, at: start, term: null };
    tab.bus = new ModelBus(buses, clock, random);
    tab.hub = new Hub(tab.bus, { tab: tab.id, me: () => "anna", errands: { give() {} } });
    const take = ({ messages, gap }) => {
      if (!tabs.has(tab)) return;
      for (const [n, message] of messages.entries()) {
        const place = number(message.id);
        if (message.room !== room) fail(`${tab.id} in ${room} is shown a message of ${message.room}`);
        if (place <= tab.at) fail(`${tab.id} in ${room} is shown ${place} after ${tab.at}`);
        if (place > tab.at + 1 && !(gap && n === 0)) fail(`${tab.id} in ${room} misses what is between ${tab.at} and ${place}`);
        tab.at = place;
      }
      if (messages.length > 0 && random(3) > 0) markRead(room, messages.at(-1).id);
    };
    tabs.add(tab);
    openRoom(room);
    const name = random(4) === 0 ? "cleo" : "anna";
    tab.follower = new Follower({ bus: tab.bus, tab: tab.id, room, next: `e-${start}`, name, take, silent: () => lead(tab) });
    tab.bus.on("pong", (word) => (unread = word.unread));
    if (![...tabs].some(({ term }) => term)) clock.set(() => lead(tab), random(400));
    return tab;
  };

  const close = (tab) => {
    // It ends properly, or it is killed.
    if (random(3) > 0) tab.bus.post({ is: "gone", tab: tab.id });
    tab.term?.abort();
    tabs.delete(tab);
    buses.delete(tab.bus);
    const [heir] = tabs;
    if (tab.term && heir) clock.set(() => lead(heir), random(2_000));
    tab.term = null;
  };

  const some = (list) => list[random(list.length)];
  open(some(names));
  server.honest = false;
  for (let step = 0; step < steps; step += 1) {
    const what = random(40);
    if (what < 20) server.say(some(names));
    else if (what < 24 && tabs.size < 8) open(some(names));
    else if (what < 27 && tabs.size > 1) close(some([...tabs]));
    else if (what === 27) server.kill();
    else if (what === 28) lead(some([...tabs]));
    else if (what === 29) {
      const room = some(names);
      forgot.add(room);
      server.forget(room);
    }
    else if (what === 30) setNotices(some(names), some(["all", "mentions", "none"]));
    else if (what === 31) leaveRoom(some(names));
    else if (what === 32) some([...tabs]).follower.prod();
    else if (what === 33) some([...tabs]).follower.rename(some(["anna", "ben", "cleo"]));
    else await clock.pass(random(random(5) === 0 ? 20_000 : 300));
    await settled();
  }
  server.honest = true;
  for (const tab of tabs) tab.follower.rename("anna");
  await clock.pass(180_000);

  for (const { id, room, at } of tabs)
    if (at !== server.room(room).latest) fail(`${id} has ${room} up to ${at} of ${server.room(room).latest}`);
  // Between two polls no request waits for a moment.
  const waiting = () => [...server.requests].length;
  for (let n = 0; n < 40 && waiting() !== 1; n += 1) await clock.pass(100);
  if (waiting() !== 1) fail(`${waiting()} requests wait`);
  for (const room of followed()) {
    const read = number(readUpTo(room));
    const right = server.room(room).kept.filter(({ id, kind }) => kind === "message" && number(id) > read).length;
    const count = unread.get(room);
    // A counted message may no longer be kept, and the count may end at its limit.
    const fits = count === right || (count > right && forgot.has(room)) || (count > 99 && right > 99);
    if (!fits) fail(`${count} are unread in ${room}, not ${right}`);
  }
}

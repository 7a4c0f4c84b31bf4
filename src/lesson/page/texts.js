// What the backstage says: what things are called, what to expect of each failure, what was seen and why, and where
// in the code. A test looks whether each place still stands there.

export const ENGINES = {
  blocking: {
    name: "Blocking",
    about: "A thread for each waiter: tiny_http, crossbeam channels, recv_timeout.",
  },
  async: {
    name: "Async",
    about: "A task for each waiter: hyper, tokio, a oneshot under timeout.",
  },
};

export const THREADS = {
  reader: "readers, one a connection",
  handler: "handlers, one a request",
  worker: "workers of the runtime",
  room: "rooms",
  store: "store",
  other: "others",
};

export const TASKS = {
  connections: "connections",
  rooms: "rooms",
};

export const LETTERS = {
  subscribe: "subscribe",
  publish: "publish",
  arrived: "arrived (stored)",
  unsubscribe: "unsubscribe",
  other: "others",
};

export const LEVERS = {
  waiters: { label: "Waiters", unit: "waiters" },
  rate: { label: "Messages a second", unit: "a second" },
  size: { label: "Bytes a message", unit: "bytes" },
};

/**
 * `expect` stands before, `saw` appears once the failure was on: for each engine, or for both where they do not differ. `deed` is what the crowd
 * counts of it.
 */
export const FAILURES = [
  {
    name: "stall",
    title: "A blocking call inside a task",
    expect:
      "Twice as many requests as there are cores call a plain sleep of 2 s, again and again, by the same line of code in both engines. Who stalls: those who asked for it, some others, or everybody?",
    deed: { name: "stalled", says: "calls that slept" },
    saw: {
      blocking: {
        text: "Nobody else noticed: the threads that sleep were late, and each of the others has a thread of its own. A thread that sleeps gives its core back to the kernel, whatever its code looks like.",
        code: ["src/blocking/backstage.rs: stall"],
      },
      async: {
        text: "Everybody stalled for seconds, this panel too: all workers slept, and no other task got one. A task gives its worker back only where it awaits, and a plain sleep does not await.",
        code: ["src/nonblocking/backstage.rs: stall", "src/door/hyper/workers.rs: start"],
      },
    },
  },
  {
    name: "vanish",
    title: "Clients that vanish while they wait",
    expect:
      "Half of those who wait reset their connections without a word, and come back. How long is a seat still taken by somebody who is gone, and who notices?",
    deed: { name: "vanished", says: "clients that vanished" },
    saw: {
      blocking: {
        text: "The cells of those who were gone stayed for up to a second, beside those of who came back: a thread that blocks on a channel can't see its socket. A message ends such a wait, or the watcher, which asks the kernel once a second who is gone.",
        code: ["src/door/tiny_http/watcher.rs: look", "src/blocking/poll.rs: wait"],
      },
      async: {
        text: "The cells were free at once, since the task of a connection waits for the room and for the socket at the same time. When the socket broke, the future was dropped with all that it held, its seat and its channel too.",
        code: ["src/door/hyper/handlers.rs: serve", "src/nonblocking/poll.rs: wait"],
      },
    },
  },
  {
    name: "slow",
    title: "Readers that read nothing",
    expect:
      "Four clients open a stream of the room and never read from it, while messages (now of 16 KiB at least, which takes all waiters longer) go on. Who waits for the four: the room, the other waiters, or nobody?",
    deed: { name: "slow", says: "streams opened that nobody reads" },
    saw: {
      blocking: {
        text: "Nobody waited for them: the room hands a message to a channel, and never to a socket. When the buffers were full, their four threads blocked in a write, and were cut off when nothing had been taken for 10 s.",
        code: ["src/blocking/stream.rs: open", "src/door/tiny_http/events.rs: send"],
      },
      async: {
        text: "The others were served as before, for the same reason. A slow reader costs a task that is parked, with one piece of its stream, until the time for it is over.",
        code: ["src/nonblocking/stream.rs: open", "src/door/hyper/socket.rs: written"],
      },
    },
  },
  {
    name: "burst",
    title: "A burst of connections",
    expect:
      "A thousand clients connect at once, ask one thing and go, every 2 s. What do the figures of threads, memory and context switches do, and how long are they still up after it?",
    deed: { name: "burst", says: "connections that came" },
    saw: {
      blocking: {
        text: "Threads and kernel stacks jumped up: each connection takes a reader before its request is understood, and a handler after that. The readers were gone 5 s after the burst; the handlers stay for as long as each of them still gets a task within 5 s.",
        code: ["src/door/tiny_http/handlers.rs: add_handler", "src/door/tiny_http/crew.rs: shrink"],
      },
      async: {
        text: "Connections and files jumped up, and no thread was made: a connection is a task, some kilobytes on the heap. All was as before when the last answer was sent, but the few workers were so busy with the burst that the waiters heard of a message later.",
        code: ["src/door/hyper/handlers.rs: receive"],
      },
    },
  },
  {
    name: "panic",
    title: "A room that panics",
    expect:
      "The room in which all wait panics once, when the next message comes. Who gets an error, who loses a message, and what becomes of the room?",
    saw: {
      both: {
        text: "Every waiter was answered 503 and came back, and the room began again from its store: whoever follows a cursor has missed nothing. The panic takes the room's state with it and all its ends of channels, so each thread or task that waits on one hears at once that nobody is there.",
        code: ["src/blocking/room.rs: run", "src/nonblocking/room.rs: run"],
      },
    },
  },
  {
    name: "store",
    title: "The store is away",
    expect:
      "While this is on, the store takes no message. What does a sender hear, and what do those who wait notice?",
    saw: {
      both: {
        text: "Each POST was answered 503 and nobody was woken, since a message is stored before anybody is shown it. Those who wait noticed nothing and went on waiting.",
        code: ["src/room/owner.rs: settle", "src/blocking/publish.rs: publish"],
      },
    },
  },
  {
    name: "files",
    title: "No more files",
    expect:
      "For 15 s the process may open only a few files more, and every connection is a file. Move the lever of waiters up: what becomes of those who wait, and of those who come?",
    saw: {
      blocking: {
        text: "Those who waited were served as before, and new ones stood at the door until there were files again: their kernel says connected, and nobody accepts them. The accept loop of tiny_http ends at such an error, so a supervisor starts another again and again, which you saw as more readers.",
        code: ["src/door/tiny_http/supervisor.rs: supervise"],
      },
      async: {
        text: "Those who waited were served as before, and new ones stood at the door until there were files again. The task that accepts pauses after such an error, longer each time up to 2 s, and tries again.",
        code: ["src/door/hyper/handlers.rs: receive"],
      },
    },
  },
  {
    name: "pin",
    title: "One core",
    expect:
      "All threads of the server have to share one core. Try it with ten messages a second: which engine loses more by it, and which figure tells why?",
    saw: {
      blocking: {
        text: "The last waiter had its message two to five times later (500 waiters, ten messages a second), at the same CPU a delivery. To each waiter belong two threads that must run, one after the other, and the thousands of context switches for that have only one core now.",
        code: ["src/door/tiny_http/handlers.rs: arrive", "src/door/tiny_http/handlers.rs: work"],
      },
      async: {
        text: "Hardly anything changed. One worker does most of the work of a broadcast, a task after the other without the kernel, so there was not much for a second core to do.",
        code: ["src/door/hyper/workers.rs: start"],
      },
    },
  },
];

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
        text: "Nobody else noticed: the threads that sleep are late, and every other waiter has a thread of its own. The kernel takes a core away from a thread that sleeps, whatever its code does.",
        code: ["src/blocking/backstage.rs: stall"],
      },
      async: {
        text: "Everybody stalled, this panel too: all workers slept, and no other task got one. A task gives its worker back only where it awaits, and a plain sleep does not await.",
        code: ["src/nonblocking/backstage.rs: stall", "src/nonblocking/mod.rs: runtime"],
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
        text: "The thread of one who is gone still sat in its wait: it blocks on a channel and can't see the socket. The watcher asks the kernel once a second who is gone, and ends those waits by a letter to the room.",
        code: ["src/door/tiny_http/watcher.rs: look", "src/blocking/poll.rs: wait"],
      },
      async: {
        text: "The cells were free at once: the task of a connection waits for the room and for the socket at the same time. When the socket ends, its future is dropped with all that it held, the seat and the channel too.",
        code: ["src/door/hyper/handlers.rs: serve", "src/nonblocking/poll.rs: wait"],
      },
    },
  },
  {
    name: "slow",
    title: "Readers that read nothing",
    expect:
      "A few clients open a stream of the room and never read from it, while messages go on. Who pays for them: the room, the other waiters, or nobody?",
    deed: { name: "slow", says: "streams opened that nobody reads" },
    saw: {
      blocking: {
        text: "The others were served as before: the room hands a message to a channel and never waits for a socket. A slow reader costs its own thread, which blocks in a write until the time for it is over.",
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
        text: "Threads and kernel stacks jumped up with the burst, and came down some seconds after it. Each connection needs a reader before it is understood, and a thread that has become idle waits 5 s for other work before it ends.",
        code: ["src/door/tiny_http/handlers.rs: add_handler", "src/door/tiny_http/crew.rs: shrink"],
      },
      async: {
        text: "Only connections and files jumped up: a task is a few kilobytes on the heap, and no thread was made. The burst is over as soon as the last answer is sent.",
        code: ["src/door/hyper/handlers.rs: receive"],
      },
    },
  },
  {
    name: "panic",
    title: "A room that panics",
    expect:
      "The room that holds all who wait panics once. Who gets an error, who loses a message, and what becomes of the room?",
    saw: {
      both: {
        text: "The room was started again from its store, and every waiter was told to ask again; nobody lost a message that was answered ok. The panic unwinds and takes the room's state and its channels with it, so whoever waits on one hears at once that nobody is at the other end.",
        code: ["src/blocking/room.rs: run", "src/nonblocking/room.rs: run"],
      },
    },
  },
  {
    name: "store",
    title: "The store is away",
    expect:
      "As long as this is on, the store takes no message. What does a sender hear, and what do those who wait notice?",
    saw: {
      both: {
        text: "Each POST was answered 503, and nobody was woken: a message is stored before anybody is shown it. Those who wait went on waiting, since a room needs its store only for what is new.",
        code: ["src/room/owner.rs: settle", "src/blocking/publish.rs: publish"],
      },
    },
  },
  {
    name: "files",
    title: "No more files",
    expect:
      "The process may open only a few more files than it has open now, and every connection is a file. What happens to those who wait, and to those who come?",
    saw: {
      blocking: {
        text: "Those who waited were served as before, and new ones stood at the door: the kernel had accepted them, the server could not. The accept loop of tiny_http ends at such an error, so a supervisor starts another on the same listener.",
        code: ["src/door/tiny_http/supervisor.rs: supervise"],
      },
      async: {
        text: "Those who waited were served as before, and new ones stood at the door. The task that accepts pauses after such an error, and tries again.",
        code: ["src/door/hyper/handlers.rs: receive"],
      },
    },
  },
  {
    name: "pin",
    title: "One core",
    expect:
      "All threads of the server have to share one core. Which of the two engines loses more by it, and which figure tells why?",
    saw: {
      blocking: {
        text: "The threads that were woken stood in line for the core, so the last waiter came later.",
        code: ["src/door/tiny_http/handlers.rs: work"],
      },
      async: {
        text: "The workers shared the core.",
        code: ["src/nonblocking/mod.rs: runtime"],
      },
    },
  },
];

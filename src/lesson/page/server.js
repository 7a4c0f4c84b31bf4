// A server that this page shows: its stream of frames, and what it is told.

/** How long an answer may take, in milliseconds. A server that stalls answers late. */
const ANSWER = 15_000;

/** When a stream that the browser gave up is asked for again, in milliseconds. */
const AGAIN = 2_000;

/** A server of this machine, the only ones that the page's policy lets it ask. */
const BESIDE = /^http:\/\/(127\.0\.0\.1|localhost)(:\d{1,5})?$/;

/** The servers of this page: its own, and the one `?beside=` it. */
export function servers() {
  const own = new Server(new URL("backstage/", location));
  const beside = new URLSearchParams(location.search).get("beside");
  if (beside === null) return { shown: [own] };
  const origin = beside.replace(/\/+$/, "");
  if (!BESIDE.test(origin)) return { shown: [own], problem: `Beside this one stands a server of this machine, such as http://127.0.0.1:8081, not ${beside}.` };
  return { shown: [own, new Server(new URL(`${origin}/backstage/`))] };
}

export class Server {
  /** Its engine's name, once it has said it. */
  name;
  /** When its last frame came. */
  heard = performance.now();
  #base;

  constructor(base) {
    this.#base = base;
    this.host = base.host;
    this.name = base.host;
  }

  /** Hands on each frame, for as long as the page lives. */
  follow(take) {
    const stream = new EventSource(new URL("events", this.#base));
    stream.addEventListener("frame", ({ data }) => {
      const frame = JSON.parse(data);
      this.heard = performance.now();
      this.name = frame.engine;
      take(frame);
    });
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.follow(take), AGAIN);
    };
  }

  /** How long it has said nothing, in milliseconds. */
  get silence() {
    return performance.now() - this.heard;
  }

  /** Tells it something; gives its answer, or throws what a reader should know. */
  async tell(path, body) {
    let reply;
    try {
      reply = await fetch(new URL(path, this.#base), {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER),
      });
    } catch (error) {
      throw new Error(error.name === "TimeoutError" ? `${this.name} has not answered for ${ANSWER / 1000} s.` : `${this.name} can't be reached.`);
    }
    const said = await reply.text();
    if (reply.ok) return JSON.parse(said);
    throw new Error(`${this.name} refuses: ${sentence(said)}`);
  }
}

/** A refusal's sentence, which may stand in a problem's `detail`. */
function sentence(said) {
  try {
    return JSON.parse(said).detail ?? said;
  } catch {
    return said;
  }
}

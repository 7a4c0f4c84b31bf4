// A short tone, made by the browser: it needs no file, and works on plain http.
//
// A browser lets a page sound only after a click or a key in it. A page that has begun once may go on, so between two
// tones the browser's sound rests.

/** The notes: their pitch in hertz, and when they begin, in seconds. */
const NOTES = [
  { pitch: 659.3, at: 0 },
  { pitch: 880, at: 0.12 },
];

/** How long a note takes to fade away, in seconds. */
const FADE = 0.4;

/** A whole tone of this is not loud beside speech. */
const LOUDNESS = 0.2;

/** How long the browser may take to begin again, in milliseconds. Without leave it does not answer. */
const PATIENCE = 500;

/** How long it may take after a click, when it has leave: a slow device must first find what it sounds with. */
const FIRST = 5_000;

/** What a browser takes for a person's own doing. */
const GESTURES = ["pointerdown", "pointerup", "keydown"];

export class Sound {
  #changed;
  #context = null;
  #ready = false;
  #last = null;
  #waits = false;

  /** `changed()` is called when the tab can sound, or can't any more. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Whether the browser can make a tone at all. */
  get exists() {
    return globalThis.AudioContext !== undefined;
  }

  /** Whether this tab may sound, at any time from now on. */
  get ready() {
    return this.#ready;
  }

  /** Begins at the next click or key, or now, after one. */
  wake() {
    if (this.#waits || this.#ready || !this.exists) return;
    this.#waits = true;
    const begin = async () => {
      if (!this.#ready && (await this.#resume())) this.#rest();
      if (!this.#ready || !this.#waits) return;
      this.#waits = false;
      for (const type of GESTURES) removeEventListener(type, begin, true);
    };
    for (const type of GESTURES) addEventListener(type, begin, true);
    if (navigator.userActivation?.hasBeenActive) begin();
  }

  /** Plays the tone for the first time, after a click. Gives whether it could. */
  begin() {
    return this.play(FIRST);
  }

  /** Plays the tone. Gives whether it could. */
  async play(patience = PATIENCE) {
    if (!(await this.#resume(patience))) return false;
    const { currentTime, destination } = this.#context;
    for (const { pitch, at } of NOTES) {
      const begin = currentTime + at;
      const loudness = this.#context.createGain();
      loudness.gain.setValueAtTime(0, begin);
      loudness.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
      loudness.gain.exponentialRampToValueAtTime(0.001, begin + FADE);
      const note = this.#context.createOscillator();
      note.frequency.value = pitch;
      note.connect(loudness).connect(destination);
      note.start(begin);
      note.stop(begin + FADE);
      this.#last = note;
    }
    const last = this.#last;
    last.addEventListener("ended", () => last === this.#last && this.#rest());
    return true;
  }

  async #resume(patience = PATIENCE) {
    if (!this.exists) return false;
    try {
      this.#context ??= new AudioContext();
      const late = new Promise((resolve) => setTimeout(resolve, patience));
      await Promise.race([this.#context.resume(), late]);
    } catch {
      // There is nothing here that could sound.
    }
    const ready = this.#context?.state === "running";
    if (ready !== this.#ready) {
      this.#ready = ready;
      this.#changed();
    }
    return ready;
  }

  #rest() {
    this.#context.suspend().catch(() => {});
  }
}

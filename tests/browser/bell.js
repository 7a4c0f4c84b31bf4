// What a browser gives notice of, written down: it can't be seen or heard without a screen.

/**
 * Puts recorders in the place of the browser's notifications and its sound, in every page of this browser. Gives the
 * list of what they were told: `{page, is: "tone"}`, and `{page, is: "shown", title, body, tag}`.
 */
export async function recorded(context, { permission = "granted" } = {}) {
  const all = [];
  await context.exposeBinding("record", ({ page }, what) => void all.push({ page, ...what }));
  await context.addInitScript(record, permission);
  return all;
}

/** Runs in the page, before its script. */
function record(permission) {
  globalThis.shown = [];
  globalThis.Notification = class extends EventTarget {
    static permission = permission;
    static requestPermission = async () => {
      globalThis.asked = (globalThis.asked ?? 0) + 1;
      return (this.permission = globalThis.answer ?? "granted");
    };

    constructor(title, { body, tag, renotify, silent }) {
      super();
      globalThis.shown.push(this);
      Object.assign(this, { title, tag });
      globalThis.record({ is: "shown", title, body, tag, renotify, silent });
    }

    close() {
      globalThis.record({ is: "closed", tag: this.tag });
      this.dispatchEvent(new Event("close"));
    }
  };

  class Node {
    gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    frequency = {};

    connect(other) {
      return other;
    }
    start() {}
    stop() {}
    addEventListener() {}
  }
  let begun = false;
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => (begun = true), { capture: true, once: true });
  globalThis.AudioContext = class {
    state = "suspended";
    notes = 0;

    async resume() {
      // A browser does not answer before a click or a key.
      if (!begun || globalThis.speechless) return new Promise(() => {});
      if (globalThis.slow) await new Promise((begins) => setTimeout(begins, globalThis.slow));
      this.state = "running";
    }
    async suspend() {
      this.state = "suspended";
    }
    createGain() {
      return new Node();
    }
    createOscillator() {
      // A tone has two notes.
      this.notes += 1;
      if (this.notes % 2 === 0) globalThis.record({ is: "tone" });
      return new Node();
    }
  };
}

/** Moves the focus away from the browser's window, or back to it. */
export async function setFocused(page, focused) {
  await page.evaluate((focused) => {
    document.hasFocus = () => focused;
    dispatchEvent(new Event(focused ? "focus" : "blur"));
  }, focused);
}

/** Clicks on the newest notification of a page. */
export function clickShown(page) {
  return page.evaluate(() => globalThis.shown.at(-1).dispatchEvent(new Event("click")));
}

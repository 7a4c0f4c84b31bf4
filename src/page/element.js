// DOM elements. Text is inserted as text: nothing here, or anywhere, takes markup.

/** An element with its attributes and its children: nodes, text, or `false` for none. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on")
      for (const [type, listen] of Object.entries(value)) node.addEventListener(type, listen);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== false));
  return node;
}

/** One of the icons that the page defines. */
export function icon(name, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", `sign ${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  svg.append(use);
  return svg;
}

/** The round picture of a name: its first letter in its colour. */
export function avatar(name) {
  return element("span", { class: `avatar h${hue(name)}`, "aria-hidden": "true" }, initial(name));
}

/** Made at its first use, which takes long. */
let letters;

/** The first letter as people see it, which may be several characters. */
export function initial(name) {
  if (/^[ -~](?:[ -~]|$)/.test(name)) return name[0].toLocaleUpperCase();
  const [first] = Intl.Segmenter ? (letters ??= new Intl.Segmenter()).segment(name) : name;
  return (first.segment ?? first).toLocaleUpperCase();
}

/** One of twelve colours for a name. The server's HTML picks the same. */
export function hue(name) {
  let hash = 7;
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.codePointAt(0)) >>> 0;
  return hash % 12;
}

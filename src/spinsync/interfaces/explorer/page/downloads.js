// Figures and data to download. A file is computed first, which can take long: its link says so until the file has come, or a
// sentence tells why it has not. Links stay links, so that a browser can also open them in its own ways.

import { parametersOf } from "./address.js";

const KEPT = 60_000; // milliseconds until the bytes of a file are given up, as a browser may ask where to store it
const GONE = "There is no answer from spinsync.";

const make = (tag, className, ...children) => {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
};

// the name that the server gives to a file
const nameIn = (answer) => /filename="([^"]*)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "spinsync";

// the file of an address as {name, bytes}, or the sentence that comes instead
async function fetched(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return await answer.text();
    return { name: nameIn(answer), bytes: await answer.blob() };
  } catch {
    return GONE;
  }
}

function store({ name, bytes }) {
  const address = URL.createObjectURL(bytes);
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
}

// a link to a file called `says`; `tell` is called with what is to be read of it
function link(words, says, tell) {
  const element = Object.assign(make("a", "button small", words), { download: "" });
  element.setAttribute("aria-label", says);
  const work = (on) => {
    element.setAttribute("aria-disabled", on);
    element.textContent = on ? "Making…" : words;
  };
  element.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (element.getAttribute("aria-disabled") === "true") return;
    work(true);
    tell(`Making ${says}…`);
    const file = await fetched(element.href);
    if (file.name) store(file);
    tell(file.name ? "" : file);
    work(false);
  });
  return element;
}

export default function downloads(view) {
  const rows = [], links = [], said = make("p", "made");
  said.setAttribute("role", "status");
  const to = (words, says, path) => {
    const element = link(words, says, (text) => Object.assign(said, { textContent: text, title: text }));
    links.push([element, path]);
    return element;
  };
  for (const { name, label } of view.downloads ?? []) {
    const path = `/picture/${view.key}/${name}`;
    const kinds = ["PDF", "PNG"].map((kind) => to(kind, `${label} (${kind})`, `${path}.${kind.toLowerCase()}`));
    rows.push(make("li", "", make("span", "", label), ...kinds));
  }
  const numbers = () => to("Zarr", "All numbers (Zarr)", `/data/${view.key}.zarr.zip`);
  if (view.data) rows.push(make("li", "", make("span", "", "All numbers"), numbers()));
  const aim = () => {
    const query = parametersOf(view.controls, view.values).toString();
    for (const [element, path] of links) element.href = query ? `${path}?${query}` : path;
  };
  view.models.panel.on("change:values", aim);
  aim();
  const runs = view.runs ? [make("p", "runs", view.runs)] : [];
  return make("section", "downloads", make("h3", "", "Figures and data"), make("ul", "", ...rows), said, ...runs);
}

// How the parts of a page stand together: title, presets, the desk (sliders, stage, map, words), and what is below it.

import { parametersOf } from "./address.js";
import { below } from "./below.js";
import panel, { presets } from "./panel.js";
import plot from "./plot.js";
import { code, status, words } from "./said.js";
import stage from "./stage.js";

const make = (tag, className, ...children) => {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
};

function figureOf(view, { part, title }) {
  const figure = make("figure", "picture", make("figcaption", "", title));
  figure.dataset.part = part;
  plot.render({ model: view.models[part], el: figure });
  return figure;
}

function downloadsOf(view) {
  const rows = [], links = [];
  const link = (words, says, path) => {
    const element = Object.assign(make("a", "button small", words), { download: "" });
    element.setAttribute("aria-label", says);
    links.push([element, path]);
    return element;
  };
  for (const { name, label } of view.downloads ?? []) {
    const path = `/picture/${view.key}/${name}`;
    const kinds = ["PDF", "PNG"].map((kind) => link(kind, `${label} (${kind})`, `${path}.${kind.toLowerCase()}`));
    rows.push(make("li", "", make("span", "", label), ...kinds));
  }
  const numbers = () => link("Zarr", "All numbers (Zarr)", `/data/${view.key}.zarr.zip`);
  if (view.data) rows.push(make("li", "", make("span", "", "All numbers"), numbers()));
  const aim = () => {
    const query = parametersOf(view.controls, view.values).toString();
    for (const [element, path] of links) element.href = query ? `${path}?${query}` : path;
  };
  view.models.panel.on("change:values", aim);
  aim();
  const runs = view.runs ? [make("p", "runs", view.runs)] : [];
  return make("section", "downloads", make("h3", "", "Figures and data"), make("ul", "", ...rows), ...runs);
}

function intro({ title, intro: text }) {
  const paragraph = make("p", "");
  paragraph.innerHTML = text ?? ""; // fixed sentences of the catalogue
  return make("div", "intro", make("h2", "", title), paragraph);
}

// Build the page of a view inside `el`, which must be seen: the parts measure themselves.
export default function build(view, el) {
  const place = (parent, className, module, name) => {
    const here = make("div", className);
    parent.append(here);
    module.render({ model: view.models[name], el: here });
  };
  const desk = make("div", view.stage ? "desk" : "desk without-stage"), more = make("div", "more");
  const spoken = make("div", "spoken"), listing = make("section", "listing", make("h3", "", "The same in Python"));
  el.append(intro(view));
  view.models.panel.set("apart", true);
  place(el, "strip", presets, "panel");
  el.append(desk, more);
  place(desk, "side", panel, "panel");
  if (view.stage) {
    place(desk, "stage-box", stage, "stage");
    const legend = make("div", "stage-below");
    desk.append(legend);
    below(desk.querySelector(".stage-box"), legend);
  }
  const pictures = view.pictures.map((picture) => figureOf(view, picture)), first = view.stage ? 1 : 3;
  desk.append(...pictures.slice(0, first), spoken);
  place(spoken, "", words, "words");
  place(spoken, "", status, "status");
  more.append(...pictures.slice(first), downloadsOf(view), listing);
  place(listing, "", code, "code");
}

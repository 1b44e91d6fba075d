// How the parts of a page stand together: title, presets, the desk (sliders, stage, map, words), and what is below it.

import { below } from "./below.js";
import downloads from "./downloads.js";
import panel, { presets } from "./panel.js";
import plot from "./plot.js";
import { code, status, words } from "./said.js";
import stage from "./stage.js";

const make = (tag, className, ...children) => {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
};

function figureOf(view, { part, title, doing }) {
  const caption = make("figcaption", "", title), figure = make("figure", "picture", caption), progress = make("span", "doing");
  figure.dataset.part = part;
  if (doing !== undefined) caption.append(progress);
  view.models[part].on("change:doing", () => (progress.textContent = view.models[part].get("doing")));
  plot.render({ model: view.models[part], el: figure });
  return figure;
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
  more.append(...pictures.slice(first), downloads(view), listing);
  place(listing, "", code, "code");
}

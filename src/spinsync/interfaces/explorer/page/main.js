// The page: builds what the catalogue says, and brings wishes from the parts to the stage, the address and Python.

import { Address, parametersOf, valuesOf } from "./address.js";
import { LocalModel } from "./model.js";
import panel, { presets } from "./panel.js";
import plot from "./plot.js";
import { code, status, words } from "./said.js";
import { Socket } from "./socket.js";
import stage from "./stage.js";
import tabs from "./tabs.js";
import { View } from "./view.js";

const { pages } = JSON.parse(document.getElementById("catalogue").textContent);
const main = document.getElementById("pages"), notice = document.createElement("p");
const views = new Map();
const story = pages.find((page) => page.steps);
const described = new Map([...pages, ...(story?.steps ?? [])].filter((one) => one.controls).map((one) => [one.key, one]));
const tabModel = new LocalModel({ pages, selected: "" }, () => turn());
const stepModel = new LocalModel({ steps: story?.steps ?? [], step: story?.steps[0]?.key }, () => turn());

const make = (tag, className, ...children) => {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
};

function viewOf(key) {
  if (!views.has(key)) views.set(key, new View(described.get(key), wished));
  return views.get(key);
}

const open = () => viewOf(tabModel.get("selected") === story?.key ? stepModel.get("step") : tabModel.get("selected"));

const sections = new Map(pages.map(sectionOf));

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
  return make("section", "downloads", make("h3", "", "Figures and data"), make("ul", "", ...rows));
}

function intro({ title, intro: text }) {
  const paragraph = make("p", "");
  paragraph.innerHTML = text ?? ""; // fixed sentences of the catalogue
  return make("div", "intro", make("h2", "", title), paragraph);
}

// parts measure themselves, so they are built in the page that is seen
function build(view, el) {
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
  if (view.stage) place(desk, "stage-box", stage, "stage");
  const pictures = view.pictures.map((picture) => figureOf(view, picture)), first = view.stage ? 1 : 2;
  desk.append(...pictures.slice(0, first), spoken);
  place(spoken, "", words, "words");
  place(spoken, "", status, "status");
  more.append(...pictures.slice(first), downloadsOf(view), listing);
  place(listing, "", code, "code");
}

async function tell(el) {
  const parts = { view: viewOf, panel, stage, plot, words, code, status };
  const { default: module } = await import("./story.js");
  await module.render({ model: stepModel, el, parts });
}

// a page is built when it is first seen, and stays
function show(key) {
  const el = sections.get(key);
  for (const [name, section] of sections) section.hidden = name !== key;
  if (!el.hasChildNodes()) {
    if (key === story?.key) tell(el);
    else build(viewOf(key), el);
  }
  document.title = `${pages.find((page) => page.key === key).name} · spinsync`;
}

function sectionOf({ key }) {
  const el = Object.assign(make("section", key === story?.key ? "page story" : "page"), { id: `page-${key}`, hidden: true });
  el.setAttribute("role", "tabpanel");
  el.setAttribute("aria-labelledby", `tab-${key}`);
  main.append(el);
  return [key, el];
}

const socket = new Socket(
  ({ page, parts }, newest) => parts && described.has(page) && viewOf(page).receive(parts, newest),
  (sentence) => {
    notice.textContent = sentence;
    notice.hidden = !sentence;
  },
);
const address = new Address(now, restore);

function now() {
  const parameters = new URLSearchParams({ page: tabModel.get("selected") });
  if (tabModel.get("selected") === story?.key) parameters.set("step", stepModel.get("step"));
  for (const [name, value] of parametersOf(open().controls, open().values)) parameters.set(name, value);
  return parameters;
}

function wished(view, entry) {
  if (view !== open()) return;
  socket.ask(view.key, view.values);
  if (entry) address.enter();
  else address.changing();
}

// another tab or step was chosen
function turn() {
  show(tabModel.get("selected"));
  scrollTo(0, 0);
  wished(open(), true);
}

// what the address says, at the start and after Back and Forward
function restore(parameters) {
  const page = pages.find(({ key }) => key === parameters.get("page")) ?? pages[0];
  const step = story?.steps.find(({ key }) => key === parameters.get("step")) ?? story?.steps[0];
  if (page === story) stepModel.set("step", step.key);
  tabModel.set("selected", page.key);
  show(page.key);
  const view = open();
  view.hold(valuesOf(view.controls, parameters));
  view.models.panel.set("said", "");
  socket.ask(view.key, view.values);
}

notice.className = "notice";
notice.hidden = true;
notice.setAttribute("role", "status");
main.append(notice);
tabs.render({ model: tabModel, el: document.getElementById("tabs") });
restore(new URLSearchParams(location.search));

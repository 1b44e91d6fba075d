// The page: builds what the catalogue says, and brings wishes from the parts to the stage, the address and Python.

import { Address, parametersOf, valuesOf } from "./address.js";
import build from "./desk.js";
import { LocalModel } from "./model.js";
import panel from "./panel.js";
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
const stepModel = new LocalModel({ steps: story?.steps ?? [], step: story?.steps[0]?.key });

function viewOf(key) {
  if (!views.has(key)) views.set(key, new View(described.get(key), wished));
  return views.get(key);
}

const open = () => viewOf(tabModel.get("selected") === story?.key ? stepModel.get("step") : tabModel.get("selected"));

const sections = new Map(pages.map(sectionOf));

// the story hands over to another page
function leave({ page, values }) {
  const view = viewOf(page);
  view.begin({ ...view.starts(), ...values });
  tabModel.set("selected", page);
  tabModel.save_changes();
  document.getElementById(`tab-${page}`).focus();
}

async function tell(el) {
  const parts = { view: viewOf, turn, leave, panel, stage, plot, words, code, status };
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
  const className = key === story?.key ? "page story" : "page";
  const el = Object.assign(document.createElement("section"), { className, id: `page-${key}`, hidden: true });
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
  view.begin(valuesOf(view.controls, parameters));
  socket.ask(view.key, view.values);
}

notice.className = "notice";
notice.hidden = true;
notice.setAttribute("role", "status");
main.append(notice);
tabs.render({ model: tabModel, el: document.getElementById("tabs") });
restore(new URLSearchParams(location.search));

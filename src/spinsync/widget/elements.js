// The HTML elements of the widget, and the theme of the page around it.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
const KEYS =
  "On the sphere: Space plays and pauses, arrows rotate, + and − zoom, comma and full stop step through time, Home and End " +
  "go to its ends, 0 resets the view. On the time slider: arrows step. Drag to rotate; pinch to zoom, or turn the " +
  "wheel after a click.";

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function buildElements() {
  const sphere = make("canvas", { className: "spinsync-sphere", tabIndex: 0 });
  sphere.setAttribute("role", "img");
  sphere.setAttribute("aria-description", KEYS);
  const order = make("canvas", { className: "spinsync-curve" }), phases = make("canvas", { className: "spinsync-curve" });
  for (const element of [order, phases]) element.setAttribute("aria-hidden", "true"); // the sphere's label describes them
  const play = make("button", { type: "button", className: "spinsync-play" });
  const time = make("input", { type: "range", step: "any", className: "spinsync-time" });
  time.setAttribute("aria-label", "time");
  const clock = make("span", { className: "spinsync-clock" });
  const speed = make("select", {}, ...SPEEDS.map((s) => make("option", { value: s, textContent: `${s}×` })));
  const colour = make("select", {}, ...["group", "phase"].map((c) => make("option", { value: c, textContent: c })));
  const trails = make("input", { type: "checkbox" });
  const legend = make("div", { className: "spinsync-legend" }), announcement = make("div", { className: "spinsync-announcement" });
  announcement.setAttribute("aria-live", "polite");
  const bar = make(
    "div", { className: "spinsync-bar" }, play, time, clock,
    make("label", {}, "speed ", speed), make("label", {}, "colour ", colour), make("label", {}, trails, " trails"),
    make("details", {}, make("summary", { textContent: "keys", title: KEYS }), make("p", { textContent: KEYS })),
  );
  const curves = make("div", { className: "spinsync-curves" }, order, phases);
  const stage = make("div", { className: "spinsync-stage" }, make("div", {}, sphere, legend), curves);
  const root = make("div", { className: "spinsync" }, make("div", { className: "spinsync-inside" }, stage, bar, announcement));
  for (const element of root.querySelectorAll("*")) element.dataset.lmSuppressShortcuts = "true"; // JupyterLab then ignores keys pressed here
  return { root, sphere, order, phases, play, time, clock, speed, colour, trails, legend, announcement };
}


// The elements of the stage and its words: the field's terms, or plain ones for the story, where a spin is a clock.

const two = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1").replace("-", "−");
const SPEEDS = [0.25, 0.5, 1, 2, 4];
const FAINT =
  "Where the coupling is too weak, a common phase is forgotten. When a value is changed then, all begin again from a faint one, " +
  "R\u00a0=\u00a00.02, in place of the quantum noise of nature.";
const SLOWED =
  "Seen from the laboratory a spin alone turns at 1, chosen for the eye: its true frequency is far higher. “Turn with the spins” takes this away.";
// what is known before a measurement ends, of the turns that one has gained on the other, and the seconds that it still takes
const sofar = ({ turns, seconds, playing }, names, overtook) => {
  const state = !playing ? "Paused while measuring." : seconds ? `Measuring, ${seconds}\u00a0s more.` : "Still settling.";
  const [one, other] = turns > 0 ? names : [...names].reverse();
  return `${state} So far ${turns ? `${one} ${overtook} ${other} ${Math.abs(turns)}×` : "neither gained a turn"}`;
};
// motions that seem to go on may still change slowly
const seen = (early) => (early ? "So far" : "Seen");
// `cycle` and `order`: of one group and of two; formulas in closed form exist for one group only
const WORDS = {
  expert: {
    one: "one spin", groups: ["group A", "group B"], mean: "mean",
    cycle: ["limit cycle", "limit cycles"], order: ["theory", "in the end"], unit: "/(κ+γ)",
    hands: "mean: R =", kick: "Kick", kicked: "kick", does: "Turn every spin by a random angle (K on the sphere)",
    start: "Weak start", starts: "All spins at random places, so that the mean of each group is near the axis", common: "Strong start",
    seen: ({ every, first, speeds, faint, early, ...found }) => {
      if (faint) return "Seen: not both groups have a common phase";
      if (every === undefined) return sofar(found, ["A", "B"], "overtook");
      const [one, other] = first ? "AB" : "BA";
      if (!every) return `${seen(early)}: neither gains a turn${speeds ? `; mean Ω = ${two(speeds[0])}` : ""}`;
      return `${seen(early)}: ${one} overtakes ${other} every ${two(every)}; mean Ω: A ${two(speeds[0])}, B ${two(speeds[1])}`;
    },
    help: "Each dot is the Bloch vector of one spin: up is excited, the angle around the axis is its phase. The arrow is the mean of all, drawn at its height; its length is R. " +
      `Many dots may lie on one another. Pull a dot and let it go; drag beside the dots to turn the view. ${SLOWED} ${FAINT}`,
    kinds: "Weak start: spins at random places. Strong start: all spins together.",
  },
  plain: {
    one: "one clock", groups: ["blue clocks, A", "orange clocks, B"], mean: "average",
    cycle: ["its path, from theory", "paths of A and B"], order: ["theory", "in the end"], unit: " s",
    hands: "average R =", kick: "Kick", kicked: "kick", does: "Turn every clock by a random angle (K on the sphere)",
    start: "Weak start", starts: "All dots at random places, so that the average hand of each group is short", common: "Strong start",
    seen: ({ every, first, speeds, faint, early, ...found }) => {
      if (faint) return "Seen: not both colours have a common rhythm";
      if (every === undefined) return sofar(found, ["blue", "orange"], "passed");
      const [one, other] = first ? ["blue", "orange"] : ["orange", "blue"];
      if (!every) return `${seen(early)}: neither gains a turn${speeds ? `; mean speed ${two(1 + speeds[0])}` : ""}`;
      return `${seen(early)}: ${one} passes ${other} every ${every.toFixed(1)} s; mean speeds ${two(1 + speeds[0])}, ${two(1 + speeds[1])}`;
    },
    help: "Each dot is one clock: the angle around the axis is where its hand points, and the nearer the dot is to the axis, the " +
      "shorter the hand. The arrow is the average hand, at the mean height. Many dots may lie on one another: pull one out and let " +
      "it go. Drag beside the dots to turn the view.",
    kinds: "Weak start: dots at random places. Strong start: all dots together.",
  },
};
const KEYS =
  "Keys on the sphere: Space plays and pauses, N is a new random start, K a kick, arrows rotate, plus and minus zoom, 0 resets " +
  "the view. A dot can be pulled with the mouse or a finger; everywhere else a drag turns the view.";
const TURN =
  "On: seen from a platform that turns with a spin alone. Off: from the laboratory, where a spin alone turns at 1, " +
  "chosen for the eye: its true frequency is far higher.";

export const wordsOf = (plain) => WORDS[plain ? "plain" : "expert"];

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function canvases() {
  const sphere = make("canvas", { className: "stage-sphere", tabIndex: 0 });
  sphere.setAttribute("role", "img");
  sphere.setAttribute("aria-description", KEYS);
  const hands = make("canvas", { className: "stage-hands" }), strip = make("canvas", { className: "stage-curve" });
  for (const canvas of [hands, strip]) canvas.setAttribute("aria-hidden", "true"); // the sphere's label says what they show
  return { sphere, hands, strip };
}

export function buildElements(plain) {
  const words = wordsOf(plain), { sphere, hands, strip } = canvases();
  const button = (name, text, title) => make("button", { type: "button", className: `stage-${name}`, textContent: text, title });
  const play = button("play", "Pause", "Space on the sphere"), kick = button("kick", words.kick, words.does);
  const start = button("start", "New random start", "N on the sphere");
  const common = button("common", words.common, "Both groups together, with long hands");
  const summary = make("summary", { textContent: "What is this?" });
  const told = make("p"), help = make("details", { className: "stage-help" }, summary, told);
  const turn = make("input", { type: "checkbox" });
  const speed = make("select", {}, ...SPEEDS.map((s) => make("option", { value: s, textContent: `${s}×`, selected: s === 1 })));
  const row = make(
    "div", { className: "stage-row" }, make("label", { title: TURN }, turn, "turn with the spins"),
    make("label", { className: "stage-speed" }, "speed ", speed),
  );
  const legend = make("div", { className: "stage-legend" }), reading = make("div", { className: "stage-reading" });
  const seen = make("p", { className: "stage-seen" }), said = make("div", { className: "stage-announcement" });
  said.setAttribute("role", "status");
  const root = make(
    "div", { className: "stage" }, make("div", { className: "stage-view" }, sphere, hands, seen), legend,
    make("div", { className: "stage-bar" }, play, start, common, kick), row, help,
    make("div", { className: "stage-strip" }, reading, strip), said,
  );
  root.dataset.plain = String(plain);
  return { root, sphere, hands, strip, play, start, common, kick, turn, speed, legend, reading, seen, said, help, told };
}

// the legend of the sphere: dots in the colours of the groups, the mean, and the rings if there are any
export function explain(legend, words, colours, strong, rings) {
  const entry = (kind, text, colour) => {
    const made = make("span", { className: `stage-mark-${kind}`, textContent: text });
    made.style.setProperty("--mark", colour);
    return made;
  };
  const dots = colours.length > 1 ? words.groups.map((name, a) => entry("dot", name, colours[a])) : [entry("dot", words.one, colours[0])];
  const ring = rings ? [entry("ring", words.cycle[colours.length - 1], colours[0])] : [];
  legend.replaceChildren(...dots, entry("arrow", words.mean, strong), ...ring);
}

// two groups have two kinds of start whose end is known
export function offer({ root, start, common, seen, told }, words, groups) {
  root.dataset.groups = groups;
  common.hidden = seen.hidden = groups < 2;
  told.textContent = groups < 2 ? words.help : `${words.help} ${words.kinds}`;
  start.textContent = groups < 2 ? "New random start" : words.start;
  start.title = groups < 2 ? "N on the sphere" : `${words.starts} (N on the sphere)`;
}

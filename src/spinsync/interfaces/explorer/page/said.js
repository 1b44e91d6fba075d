// Words that change while one listens, a line that says what is being computed, and code that can be copied.

const QUIET = 900; // milliseconds without a change before words are read aloud, so that a dragged slider does not chatter

const make = (tag, className, properties = {}) => Object.assign(document.createElement(tag), { className, ...properties });

// a region that is heard and not seen
function announcer(el) {
  const region = make("div", "unseen");
  region.setAttribute("aria-live", "polite");
  el.append(region);
  let wait;
  const say = (text) => {
    clearTimeout(wait);
    wait = setTimeout(() => region.textContent !== text && (region.textContent = text), QUIET);
  };
  return [say, () => clearTimeout(wait)];
}

// the element shows `text` of the model, and `announce` reads it
function follow(model, show) {
  model.on("change:text", show);
  show();
  return () => model.off("change:text", show);
}

export const words = {
  render({ model, el }) {
    const root = make("div", "words"), [say, hush] = announcer(el);
    el.append(root);
    const end = follow(model, () => {
      root.innerHTML = model.get("text") ?? ""; // made in Python of numbers and fixed sentences
      say(root.textContent);
    });
    const fade = () => root.classList.toggle("old", Boolean(model.get("busy"))); // what stands there held for other values
    model.on("change:busy", fade);
    fade();
    return () => (hush(), end(), model.off("change:busy", fade));
  },
};

export const status = {
  render({ model, el }) {
    const root = make("p", "status"), [say, hush] = announcer(el);
    el.append(root);
    const end = follow(model, () => {
      const text = model.get("text") ?? "";
      root.textContent = text;
      root.title = text;
      say(text);
    });
    return () => (hush(), end());
  },
};

export const code = {
  render({ model, el }) {
    const fold = make("details", "code"), head = make("summary", ""), listing = make("pre", "");
    const copy = make("button", "button", { type: "button", textContent: "Copy as Python" });
    head.textContent = "This view as Python";
    listing.tabIndex = 0;
    listing.setAttribute("role", "region"); // it scrolls, so it can be reached and has a name
    listing.setAttribute("aria-label", "Python code of this view");
    fold.append(head, listing);
    el.append(copy, fold);
    let wait;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(model.get("text"));
        copy.textContent = "Copied";
      } catch {
        fold.open = true;
        getSelection().selectAllChildren(listing);
        copy.textContent = "Press Ctrl+C to copy";
      }
      clearTimeout(wait);
      wait = setTimeout(() => (copy.textContent = "Copy as Python"), 2000);
    });
    const end = follow(model, () => (listing.textContent = model.get("text") ?? ""));
    return () => (clearTimeout(wait), end());
  },
};

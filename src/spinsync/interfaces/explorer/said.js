// Words that change while one listens, and code that can be copied.

export default {
  render({ model, el }) {
    const root = document.createElement("div"), kind = model.get("kind");
    el.append(root);
    root.className = `ex-${kind}`;
    if (kind === "words") {
      root.setAttribute("aria-live", "polite");
      const look = () => (root.innerHTML = model.get("text")); // made in Python of numbers and fixed sentences
      model.on("change:text", look);
      look();
      return () => model.off("change:text", look);
    }
    const fold = document.createElement("details"), head = document.createElement("summary");
    const copy = document.createElement("button"), code = document.createElement("pre");
    head.textContent = "This view as Python";
    Object.assign(copy, { type: "button", textContent: "Copy as Python" });
    code.tabIndex = 0;
    code.setAttribute("aria-label", "Python code of this view");
    fold.append(head, code);
    root.append(copy, fold);
    const look = () => (code.textContent = model.get("text"));
    let wait;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(model.get("text"));
        copy.textContent = "Copied";
      } catch {
        fold.open = true;
        getSelection().selectAllChildren(code);
        copy.textContent = "Press Ctrl+C to copy";
      }
      clearTimeout(wait);
      wait = setTimeout(() => (copy.textContent = "Copy as Python"), 2000);
    });
    model.on("change:text", look);
    look();
    return () => {
      clearTimeout(wait);
      model.off("change:text", look);
    };
  },
};

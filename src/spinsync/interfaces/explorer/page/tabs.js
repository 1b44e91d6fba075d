// The names of the pages, as tabs: one of them can be reached by Tab, the others from it by the arrow keys.

export default {
  render({ model, el }) {
    const pages = model.get("pages"), list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Pages");
    const tabs = pages.map(({ key, name }) => {
      const tab = Object.assign(document.createElement("button"), { type: "button", id: `tab-${key}`, textContent: name });
      tab.dataset.text = name;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", `page-${key}`);
      tab.addEventListener("click", () => choose(key));
      return tab;
    });
    const show = () => pages.forEach(({ key }, i) => {
      const here = key === model.get("selected");
      tabs[i].setAttribute("aria-selected", here);
      tabs[i].tabIndex = here ? 0 : -1;
      if (here) tabs[i].scrollIntoView?.({ block: "nearest", inline: "nearest" });
    });
    const choose = (key) => {
      if (key === model.get("selected")) return;
      model.set("selected", key);
      model.save_changes();
    };
    list.addEventListener("keydown", (event) => {
      const at = pages.findIndex(({ key }) => key === model.get("selected")), last = pages.length - 1;
      const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(pages[to].key);
      tabs[to].focus();
    });
    list.append(...tabs);
    el.append(list);
    model.on("change:selected", show);
    show();
    return () => model.off("change:selected", show);
  },
};

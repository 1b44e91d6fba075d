// The names of the pages, as tabs: one of them can be reached by Tab, the others from it by the arrow keys. The address keeps it.

export default {
  render({ model, el }) {
    const pages = model.get("pages"), list = document.createElement("div");
    list.className = "ex-tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Pages");
    const tabs = pages.map(([key, name]) => {
      const tab = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      tab.setAttribute("role", "tab");
      tab.addEventListener("click", () => choose(key));
      return tab;
    });
    const look = () => pages.forEach(([key], i) => {
      const here = key === model.get("selected");
      tabs[i].setAttribute("aria-selected", here);
      tabs[i].tabIndex = here ? 0 : -1;
    });
    const choose = (key) => {
      if (key === model.get("selected")) return;
      model.set("selected", key);
      model.save_changes();
      look();
      const address = new URL(location.href);
      address.searchParams.set("page", key);
      history.replaceState(history.state, "", address);
    };
    list.addEventListener("keydown", (event) => {
      const at = pages.findIndex(([key]) => key === model.get("selected")), last = pages.length - 1;
      const to = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(pages[to][0]);
      tabs[to].focus();
    });
    list.append(...tabs);
    el.append(list);
    model.on("change:selected", look);
    look();
    return () => model.off("change:selected", look);
  },
};

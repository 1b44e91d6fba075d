// On a narrow or low screen the stage sticks to the top and has no room for words: its legend, what is seen, and its help stand below it, in the page.

// Call `yes` now and whenever the screen comes to match, `no` when it does not any more; gives a function that ends this.
export function whileMatches(query, yes, no) {
  const screen = matchMedia(query), look = () => (screen.matches ? yes() : no());
  screen.addEventListener("change", look);
  if (screen.matches) yes();
  return () => screen.removeEventListener("change", look);
}

// `box` holds a stage, `place` stands below it
export function below(box, place) {
  const legend = box.querySelector(".stage-legend"), help = box.querySelector(".stage-help"), view = box.querySelector(".stage-view");
  const seen = box.querySelector(".stage-seen"), row = box.querySelector(".stage-row");
  return whileMatches(
    "(max-width: 759px), (max-height: 520px)",
    () => place.append(legend, seen, help),
    () => (view.append(seen), view.after(legend), row.after(help)),
  );
}

// What is said of a point: under the pointer, and beside the map once it is chosen.

const tip = find("tip");
const HEADINGS = { class: "class", label: "label", answer: "model says", judged: "which is", split: "people of" };

// A point's words: [[heading, word], ...].
const factsOf = (index) => shown.columns.map(({ name, values, codes }) => [HEADINGS[name] ?? name, values[codes[index]]]);

function point(index) {
  marks.classList.toggle("pointing", index >= 0);
  if (index === picked.hovered) return;
  picked.hovered = index;
  tip.hidden = index < 0;
  if (index >= 0) {
    drawPicture(tip.querySelector("canvas"), shown.pixels, index);
    tip.querySelector("p").textContent = factsOf(index)
      .slice(0, -1)
      .map(([heading, word]) => `${heading}: ${word}`)
      .join("\n");
    const [x, y] = [screen.xs[index], screen.ys[index]];
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = x + 16 + width < marks.clientWidth ? x + 16 : Math.max(0, x - 16 - width);
    const top = Math.min(Math.max(0, y - height / 2), marks.clientHeight - height);
    tip.style.transform = `translate(${left}px, ${top}px)`;
  }
  redraw();
}

function choose(index) {
  picked.chosen = index;
  picked.neighbours = [];
  find("chosen").hidden = index < 0;
  find("invitation").hidden = index >= 0;
  if (index >= 0) {
    picked.neighbours = nearest(shown.points, index, find("metric").value);
    showChosen(index);
  }
  redraw();
}

function showChosen(index) {
  drawPicture(find("chosen-picture"), shown.pixels, index);
  const facts = factsOf(index);
  if (shown.set.names.length) facts.push(["file", `${shown.set.names[index]}.jpg`]);
  find("facts").replaceChildren(
    ...facts.flatMap(([heading, word]) => {
      const [term, description] = ["dt", "dd"].map((tag) => document.createElement(tag));
      [term.textContent, description.textContent] = [heading, word];
      return [term, description];
    }),
  );
  const { values, codes } = shown.columns[0];
  const alike = picked.neighbours.filter((other) => codes[other.index] === codes[index]).length;
  find("alike").textContent = `By ${shown.space.title.toLowerCase()}, ${alike} of its ${picked.neighbours.length} nearest are of the same class.`;
  find("neighbours").replaceChildren(
    ...picked.neighbours.map(({ index: other, distance }) => {
      const [row, button, canvas, name, number] = ["li", "button", "canvas", "span", "small"].map((tag) => document.createElement(tag));
      drawPicture(canvas, shown.pixels, other);
      name.textContent = values[codes[other]];
      number.textContent = distance.toPrecision(3);
      button.type = "button";
      button.addEventListener("click", () => choose(other));
      button.addEventListener("pointerenter", () => point(other));
      button.addEventListener("pointerleave", () => point(-1));
      button.append(canvas, name, number);
      row.append(button);
      return row;
    }),
  );
}

find("metric").addEventListener("change", () => choose(picked.chosen));
find("let-go").addEventListener("click", () => {
  choose(-1);
  marks.focus();
});

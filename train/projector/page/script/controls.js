// The controls, and what happens when one is changed.

// What is loaded now: the set and space of `about`, its points, its pixels, its columns with their codes.
const shown = { set: null, space: null, points: null, pixels: null, columns: [] };
const chosenOf = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;
const check = (name, value) => (document.querySelector(`input[name="${name}"][value="${value}"]`).checked = true);
const counted = new Intl.NumberFormat("en");
let turn = 0; // a later choice overtakes an earlier one that is still loading
let soughtAt = -1; // the last point that Enter found

const column = () => shown.columns.find(({ name }) => name === find("colour").value) ?? shown.columns[0];

async function showSet() {
  const mine = ++turn;
  const set = about.sets[find("set").selectedIndex];
  const space = set.spaces.find(({ name }) => name === chosenOf("space"));
  const names = [set.spaces.find(({ name }) => name === "pixels").points, ...set.columns.map((each) => each.codes)];
  const [pixels, ...codes] = (await loadAll([...names, space.points, space.pca])).slice(0, names.length); // all at once: what is needed first, too
  if (mine !== turn) return;
  const before = find("colour").value;
  Object.assign(shown, { set, pixels, columns: set.columns.map((each, k) => ({ ...each, codes: codes[k].codes })) });
  choose(-1);
  scene.to = null;
  find("colour").replaceChildren(...set.columns.map(({ name }) => new Option(HEADINGS[name] ?? name, name)));
  if (set.columns.some(({ name }) => name === before)) find("colour").value = before;
  showColours();
  await showSpace();
}

async function showSpace() {
  const mine = ++turn;
  const space = shown.set.spaces.find(({ name }) => name === chosenOf("space"));
  const points = await load(space.points);
  if (mine !== turn) return;
  Object.assign(shown, { space, points });
  await showView();
}

// Places for the chosen view, and the words about it; null where an axis has no ends.
async function wanted() {
  const { space, points } = shown;
  const [view, depth] = [chosenOf("view"), Number(chosenOf("depth"))];
  if (view === "pca") {
    const shares = space.shares.slice(0, depth).map(percent);
    const text = `The ${depth} directions in which the points differ most carry ${shares.join(" + ")} of all differences.`;
    return { places: spread(await load(space.pca), depth), depth, text };
  }
  if (view === "tsne") {
    const text = "t-SNE keeps near points near. How far apart two heaps are, and how large, means little.";
    return { places: spread(await load(depth === 3 ? space.space : space.plane), depth), depth, text };
  }
  return wantedAxis(space, points);
}

function wantedAxis(space, points) {
  const { values, codes } = column();
  const texts = Object.fromEntries(["from", "to", "bottom", "top"].map((id) => [id, find(id).value.trim()]));
  const hasUp = texts.bottom || texts.top;
  find("axis-trouble").textContent = "";
  try {
    const ends = {};
    for (const id of hasUp ? ["from", "to", "bottom", "top"] : ["from", "to"]) {
      ends[id] = matching(texts[id], values);
      if (!ends[id].size) throw new Error(texts[id] ? `Nothing is called ${texts[id]}.` : "Name both ends.");
    }
    const { places, counts } = axisPlaces(points, codes, ends, space.axis);
    const [from, to] = counts.map((count) => counted.format(count));
    const upwards = hasUp ? `Up: from ${texts.bottom} to ${texts.top}.` : "Up: the first principal axis, as far as it is perpendicular.";
    const text = `Across: from the mean of ${from} × ${texts.from} to that of ${to} × ${texts.to}. ${upwards}`;
    return { places, depth: 2, text, ends: { across: [texts.from, texts.to], up: hasUp ? [texts.bottom, texts.top] : null } };
  } catch (error) {
    find("axis-trouble").textContent = error instanceof SyntaxError ? "That pattern is no regular expression." : error.message;
    return null;
  }
}

async function showView() {
  const mine = ++turn;
  const isAxis = chosenOf("view") === "axis";
  find("axis").hidden = !isAxis;
  find("depths").hidden = isAxis;
  const view = await wanted();
  if (mine !== turn || !view) return;
  fly(view);
  picked.ends = view.ends ?? null;
  const sorted = shown.set.spaces.map(({ title, agreement }) => `${percent(agreement)} by ${title.toLowerCase()}`).join(", ");
  find("words").textContent = `${view.text} Of a point's ten nearest, ${sorted} are of its class.`;
  choose(picked.chosen);
  document.body.dataset.ready = `${shown.set.name} ${shown.space.name} ${chosenOf("view")} ${view.depth}`;
}

// The points fly from where they are on the screen to where they shall be.
function fly({ places, depth }) {
  const count = places.length / 3;
  const old = scene.to && scene.count === count && !CALM.matches ? { ...scene, scale: scaleOf() } : null;
  const isTurned = scene.depth === 3 && depth === 3 && old;
  Object.assign(scene, { to: places, count, depth, box: boxOf(places), zoom: 1, pan: [0, 0], from: null, began: performance.now() });
  scene.turn = depth === 2 ? STRAIGHT : isTurned ? scene.turn : turning(0.5, 0.35);
  if (old) {
    const change = product(transposed(scene.turn), old.turn).map((part) => (part * old.scale) / scaleOf());
    scene.from = new Float32Array(places.length);
    for (let k = 0; k < places.length; k += 3) {
      const [x, y, z] = [0, 1, 2].map((axis) => old.to[k + axis] - old.box.centre[axis]);
      for (let axis = 0; axis < 3; axis++) scene.from[k + axis] = change[3 * axis] * x + change[3 * axis + 1] * y + change[3 * axis + 2] * z;
    }
  }
  if (screen.xs.length !== count) for (const name of ["xs", "ys", "depths"]) screen[name] = new Float32Array(count);
  point(-1);
  redraw();
}

function showColours() {
  const { values, codes, name } = column();
  Object.assign(look, { codes, values, pixels: shown.pixels, hidden: new Set(), sought: null });
  find("axis-column").textContent = HEADINGS[name] ?? name;
  find("values").replaceChildren(...values.map((value) => new Option(value)));
  const counts = values.map(() => 0);
  for (const code of codes) counts[code]++;
  find("legend").replaceChildren(
    ...values.map((value, code) => {
      const [row, label, box, dot, text, number] = ["li", "label", "input", "i", "span", "small"].map((tag) => document.createElement(tag));
      [box.type, box.checked, text.textContent, number.textContent] = ["checkbox", true, value, counted.format(counts[code])];
      dot.style.background = colourOf(value);
      box.addEventListener("change", () => hide(code, !box.checked));
      label.append(box, dot, text, number);
      row.append(label);
      return row;
    }),
  );
  for (const [id, code] of [["from", 0], ["to", values.length - 1]]) if (!matching(find(id).value, values).size) find(id).value = values[code];
  for (const id of ["bottom", "top"]) find(id).value = "";
  seek();
}

function hide(code, isHidden) {
  look.hidden[isHidden ? "add" : "delete"](code);
  redraw();
}

function hideAll(isHidden) {
  look.hidden = new Set(isHidden ? look.values.keys() : []);
  for (const box of find("legend").querySelectorAll("input")) box.checked = !isHidden;
  redraw();
}

// Marks what is looked for; the others become faint.
function seek() {
  const pattern = find("find").value;
  soughtAt = -1;
  try {
    look.sought = pattern.trim() ? matching(pattern, look.values) : null;
    const count = look.sought ? look.codes.reduce((sum, code) => sum + look.sought.has(code), 0) : 0;
    find("found").textContent = look.sought ? counted.format(count) : "";
  } catch {
    look.sought = new Set();
    find("found").textContent = "no regular expression";
  }
  redraw();
}

function chooseNext() {
  if (!look.sought?.size) return;
  const isNext = (i) => isSought(i) && isShown(i);
  for (let step = 1; step <= scene.count; step++) {
    const i = (soughtAt + step) % scene.count;
    if (isNext(i)) return choose((soughtAt = i));
  }
}

function start() {
  find("set").replaceChildren(...about.sets.map(({ title }) => new Option(title)));
  find("spaces").innerHTML = '<label><input type="radio" name="space" value="pixels"><span>Pixels</span></label><label><input type="radio" name="space" value="features"><span></span></label>';
  find("spaces").lastElementChild.lastElementChild.textContent = about.sets[0].spaces[1].title;
  for (const [name, value] of Object.entries({ space: "features", view: "pca", depth: "3" })) check(name, value);
  find("controls").addEventListener("submit", (event) => event.preventDefault());
  find("set").addEventListener("change", showSet);
  find("spaces").addEventListener("change", showSpace);
  for (const input of document.querySelectorAll('[name="view"], [name="depth"], #axis input')) input.addEventListener("change", showView);
  find("colour").addEventListener("change", () => {
    showColours();
    showView();
  });
  find("all").addEventListener("click", () => hideAll(false));
  find("none").addEventListener("click", () => hideAll(true));
  find("find").addEventListener("input", seek);
  find("find").addEventListener("keydown", (event) => event.key === "Enter" && chooseNext());
  find("pictures").addEventListener("change", (event) => {
    look.asPictures = event.target.checked;
    redraw();
  });
  find("names").addEventListener("change", (event) => {
    look.names = event.target.checked;
    redraw();
  });
  showSet();
}

start();

// The map: garments the model knows, as it sees them, and the picture's own place among them.

const TRAIL = 12; // places of the last pictures that are still shown
const [ROOM, LINE_PX] = [0.08, 14]; // around the points, as a share of the map; between two names on it
const NO_PLACE = "Start the camera: a dot shows where its picture lies.";
const ALL = "all directions";

const mapCanvas = find("map");
const mapLayer = document.createElement("canvas"); // what stays the same from picture to picture
const [nearestWords, alongWords, fromChoice, toChoice] = ["nearest", "along", "axis-from", "axis-to"].map(find);
let garments = null; // { labels, points: [[x, y, label's index], ...], axis, left, right, top, bottom } as the server gave them
let trail = []; // the live picture's last places, the newest last
let lastNearest = 0;
let asked = 0; // how often the server was asked for garments: only its last answer counts

// What the horizontal direction is: from one label to another; null for the model's principal axes.
const axis = () => (fromChoice.value && toChoice.value ? [fromChoice.value, toChoice.value] : null);
const plainName = (label) => (label === "none" ? "nothing" : label);
// Hues a golden angle apart; what is nothing is grey.
const colourOf = (label, index, alpha = 1) =>
  label === "none" ? `hsl(0 0% 55% / ${alpha})` : `hsl(${(index * 137.5 + 20) % 360} 60% ${isDark() ? 65 : 42}% / ${alpha})`;
const isDark = () => document.body.classList.contains("dark");
const colourNamed = (name) => getComputedStyle(root).getPropertyValue(name);

// Place on the map in CSS pixels, at its edge for what lies outside.
function onMap([x, y]) {
  const [width, height] = [mapCanvas.clientWidth, mapCanvas.clientHeight];
  const across = clamp((x - garments.left) / (garments.right - garments.left), 0.01, 0.99);
  return [across * width, clamp((garments.top - y) / (garments.top - garments.bottom), 0.02, 0.98) * height];
}

function dot(context, [x, y], radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function prepared(canvas) {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(mapCanvas.clientWidth * scale);
  canvas.height = Math.round(mapCanvas.clientHeight * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return context;
}

// Each label's name at the middle of its points, moved down where it would lie on another.
function drawNames(context, labels) {
  context.font = "600 12px system-ui, sans-serif";
  [context.textAlign, context.textBaseline, context.lineWidth] = ["center", "middle", 4];
  const names = labels.map((label) => {
    const own = garments.points.filter(([, , index]) => garments.labels[index] === label).map(onMap);
    const width = context.measureText(plainName(label)).width;
    const [x, y] = [0, 1].map((side) => own.reduce((sum, place) => sum + place[side], 0) / own.length);
    return { label, width, y, x: clamp(x, width / 2 + 2, mapCanvas.clientWidth - width / 2 - 2) };
  });
  const drawn = [];
  for (const name of names.sort((a, b) => a.y - b.y)) {
    const isOn = (other) => Math.abs(other.x - name.x) < (other.width + name.width) / 2 + 4 && Math.abs(other.y - name.y) < LINE_PX;
    while (drawn.some(isOn)) name.y += 2;
    name.y = clamp(name.y, LINE_PX / 2, mapCanvas.clientHeight - LINE_PX / 2);
    drawn.push(name);
    context.strokeStyle = colourNamed("--panel");
    context.strokeText(plainName(name.label), name.x, name.y);
    context.fillStyle = colourNamed("--ink");
    context.fillText(plainName(name.label), name.x, name.y);
  }
}

function drawMap() {
  if (!garments || !mapCanvas.clientWidth) return;
  const context = prepared(mapLayer);
  const isShown = (label) => !garments.axis || garments.axis.includes(label);
  for (const point of garments.points.toSorted((a, b) => isShown(garments.labels[a[2]]) - isShown(garments.labels[b[2]]))) {
    const label = garments.labels[point[2]];
    dot(context, onMap(point), 2.5, colourOf(label, point[2], isShown(label) ? 0.8 : 0.15));
  }
  drawNames(context, garments.labels.filter(isShown));
  prepared(mapCanvas);
  drawPlace();
}

function drawPlace() {
  const context = mapCanvas.getContext("2d");
  context.clearRect(0, 0, mapCanvas.clientWidth, mapCanvas.clientHeight);
  context.drawImage(mapLayer, 0, 0, mapCanvas.clientWidth, mapCanvas.clientHeight);
  if (!trail.length) return;
  context.strokeStyle = colourNamed("--ink");
  context.lineWidth = 1.5;
  context.beginPath();
  for (const place of trail) context.lineTo(...onMap(place));
  context.stroke();
  for (const [name, width] of [["--panel", 5], ["--ink", 2.5]]) { // a ring: what is written there can be read
    [context.strokeStyle, context.lineWidth] = [colourNamed(name), width];
    context.beginPath();
    context.arc(...onMap(trail.at(-1)), 9, 0, 2 * Math.PI);
    context.stroke();
  }
}

// The nearest garments' names, each with how many of them there are.
function wordsOf(nearest) {
  const counted = [...new Set(nearest)].map((label) => [plainName(label), nearest.filter((other) => other === label).length]);
  return "Nearest: " + counted.map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(", ");
}

// `place` is the live picture's: { x, y, nearest }; null where there is none.
function showPlace(place) {
  if (!isOpen("explore") || !garments) return;
  trail = place ? [...trail, [place.x, place.y]].slice(-TRAIL) : [];
  const now = performance.now();
  if (!place || now - lastNearest > NUMBERS_EVERY_MS) {
    lastNearest = place ? now : 0;
    setText(nearestWords, place ? wordsOf(place.nearest) : NO_PLACE);
    setText(alongWords, place && garments.axis ? `${Math.round(100 * place.x)} %` : "");
  }
  mapCanvas.dataset.place = place ? `${place.x.toFixed(3)} ${place.y.toFixed(3)}` : "";
  drawPlace();
}

function listLabels(choice, first, labels) {
  const before = choice.value;
  choice.replaceChildren(...first, ...labels.map((label) => new Option(plainName(label), label)));
  if (labels.includes(before)) choice.value = before;
}

async function showGarments() {
  const [wished, question] = [axis(), ++asked];
  if (!isOpen("explore")) return;
  const answer = server.known_garments({ model: modelChoice.value, axis: wished }).catch(() => undefined);
  const reply = (await within(REPLY_MS, answer)) ?? (await noAnswer());
  if (question !== asked) return;
  garments = null;
  trail = [];
  if (reply.error && !reply.isLost && wished && wished[0] !== wished[1]) { // one that was forgotten meanwhile
    fromChoice.value = "";
    return showGarments();
  }
  if (reply.error) {
    mapCanvas.getContext("2d").clearRect(0, 0, mapCanvas.width, mapCanvas.height);
    return setText(nearestWords, reply.words);
  }
  listLabels(fromChoice, [new Option(ALL, "")], reply.labels);
  listLabels(toChoice, [], reply.labels);
  find("axis-end").hidden = !fromChoice.value;
  const [xs, ys] = [0, 1].map((side) => reply.points.map((point) => point[side]));
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [sideways, upwards] = [ROOM * (right - left), ROOM * (top - bottom)];
  const edges = { left: left - sideways, right: right + sideways, bottom: bottom - upwards, top: top + upwards };
  garments = { ...reply, ...edges, axis: wished };
  setText(nearestWords, NO_PLACE);
  drawMap();
  wake(); // a still picture is looked at again
}

fromChoice.addEventListener("change", () => {
  if (toChoice.value === fromChoice.value) toChoice.selectedIndex = toChoice.selectedIndex === 0 ? 1 : 0;
  showGarments();
});
toChoice.addEventListener("change", showGarments);
modelChoice.addEventListener("change", () => {
  fromChoice.value = ""; // the other model may know other names
  garments = null;
  showGarments();
});
find("tab-explore").addEventListener("click", showGarments);
new ResizeObserver(drawMap).observe(mapCanvas);

// Pointer and keys: turning, moving, zooming, pointing, choosing.

const REACH_PX = 12; // how far from a dot one may point
const STEP = Math.PI / 30;
const held = new Map(); // pointers that are down: id -> [x, y]
let moved = 0; // how far the pointer went since it was pressed

// The shown point nearest to a place on the screen, or -1.
function pointAt(x, y, reach = REACH_PX) {
  let [best, least] = [-1, reach * reach];
  for (let i = 0; i < scene.count; i++) {
    if (!isShown(i) || (look.sought && !isSought(i))) continue;
    const distance = (screen.xs[i] - x) ** 2 + (screen.ys[i] - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

// Zooms by a factor, keeping what is at (x, y) where it is.
function zoomBy(factor, x = marks.clientWidth / 2, y = marks.clientHeight / 2) {
  const zoom = Math.min(200, Math.max(0.3, scene.zoom * factor));
  const share = zoom / scene.zoom;
  const middle = [marks.clientWidth / 2, marks.clientHeight / 2];
  scene.pan = scene.pan.map((pan, axis) => [x, y][axis] - middle[axis] - share * ([x, y][axis] - middle[axis] - pan));
  scene.zoom = zoom;
  redraw();
}

function showWhole() {
  [scene.zoom, scene.pan, scene.turn] = [1, [0, 0], scene.depth === 3 ? turning(0.5, 0.35) : STRAIGHT];
  redraw();
}

// Turns in space, moves in the plane (or with the shift key, or the right button).
function drag(right, down, isMove) {
  if (scene.depth === 3 && !isMove) scene.turn = product(turning(right * 0.006, down * 0.006), scene.turn);
  else scene.pan = [scene.pan[0] + right, scene.pan[1] + down];
  redraw();
}

const placeOf = (event) => {
  const box = marks.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

marks.addEventListener("pointerdown", (event) => {
  marks.setPointerCapture(event.pointerId);
  held.set(event.pointerId, placeOf(event));
  moved = 0;
  marks.classList.add("dragging");
});

marks.addEventListener("pointermove", (event) => {
  const [x, y] = placeOf(event);
  const before = held.get(event.pointerId);
  if (!before) return point(pointAt(x, y));
  held.set(event.pointerId, [x, y]);
  const [right, down] = [x - before[0], y - before[1]];
  moved += Math.hypot(right, down);
  if (held.size === 2) {
    const other = [...held].find(([id]) => id !== event.pointerId)[1];
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    zoomBy(apart([x, y]) / apart(before), (x + other[0]) / 2, (y + other[1]) / 2);
    drag(right / 2, down / 2, true);
  } else if (moved > 3) {
    point(-1);
    drag(right, down, event.shiftKey || event.buttons === 2);
  }
});

function release(event) {
  if (!held.delete(event.pointerId)) return;
  if (!held.size) marks.classList.remove("dragging");
  if (event.type === "pointerup" && moved <= 3 && event.button === 0) choose(pointAt(...placeOf(event)));
}
for (const type of ["pointerup", "pointercancel"]) marks.addEventListener(type, release);
marks.addEventListener("pointerleave", () => point(-1));
marks.addEventListener("contextmenu", (event) => event.preventDefault());
marks.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    zoomBy(Math.exp(-event.deltaY * lines * 0.0015), ...placeOf(event));
  },
  { passive: false },
);

const KEYS = {
  ArrowLeft: () => drag(-STEP / 0.006, 0, false),
  ArrowRight: () => drag(STEP / 0.006, 0, false),
  ArrowUp: () => drag(0, -STEP / 0.006, false),
  ArrowDown: () => drag(0, STEP / 0.006, false),
  "+": () => zoomBy(1.25),
  "=": () => zoomBy(1.25),
  "-": () => zoomBy(0.8),
  0: showWhole,
  Enter: () => choose(pointAt(marks.clientWidth / 2, marks.clientHeight / 2, Infinity)),
  Escape: () => choose(-1),
};
marks.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
find("nearer").addEventListener("click", () => zoomBy(1.5));
find("farther").addEventListener("click", () => zoomBy(1 / 1.5));
find("whole").addEventListener("click", showWhole);

// The guide: a frame on the picture, around the part that is looked at. Shares of the picture's width and height, 0..1.

const SMALLEST = 0.1; // side of the part
const STEP = 0.05; // of a key
const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const [regionBox, wholeButton, mirrorTick] = ["region", "whole", "mirror"].map(find);
let region = WHOLE;
let drag = null; // { pointer, from, region, corner } while a finger or the left button is down

const isWhole = () => region.width === 1 && region.height === 1;
const isMirrored = () => view.classList.contains("mirrored");

function setRegion(wished) {
  const width = clamp(wished.width, SMALLEST, 1);
  const height = clamp(wished.height, SMALLEST, 1);
  region = { left: clamp(wished.left, 0, 1 - width), top: clamp(wished.top, 0, 1 - height), width, height };
  for (const [side, share] of Object.entries(region)) regionBox.style[side] = 100 * share + "%";
  if (isWhole() && document.activeElement === wholeButton) mirrorTick.focus(); // the button cannot keep it
  wholeButton.disabled = isWhole();
  regionBox.classList.toggle("part", !isWhole());
  wake();
}

function sayRegion() {
  const [width, height] = [region.width, region.height].map((share) => Math.round(100 * share));
  speak(isWhole() ? "The whole picture is looked at" : `Looked at: ${width} % of the width, ${height} % of the height`);
}

function fromCorners(a, b) {
  const [left, top] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return { left, top, width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

// Where a pointer is on the picture itself, however it is shown.
function place(event) {
  const box = view.getBoundingClientRect();
  const x = clamp((event.clientX - box.left) / box.width, 0, 1);
  return { x: isMirrored() ? 1 - x : x, y: clamp((event.clientY - box.top) / box.height, 0, 1) };
}

// The corner opposite to the one that is held: "10" is right and top.
function opposite(corner, { left, top, width, height }) {
  return { x: corner[0] === "1" ? left : left + width, y: corner[1] === "1" ? top : top + height };
}

function dragTo(event) {
  if (drag?.pointer !== event.pointerId) return;
  const [to, before] = [place(event), drag.region];
  const [dx, dy] = [to.x - drag.from.x, to.y - drag.from.y];
  if (drag.corner) setRegion(fromCorners(opposite(drag.corner, before), to));
  else if (before.width < 1 || before.height < 1) setRegion({ ...before, left: before.left + dx, top: before.top + dy });
  else if (Math.min(Math.abs(dx), Math.abs(dy)) > SMALLEST / 2) setRegion(fromCorners(drag.from, to));
}

// As if there had been none.
function endDrag() {
  if (drag) setRegion(drag.region);
  drag = null;
}

function moveByKey(event) {
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
  if (event.key === "Escape") setRegion(WHOLE);
  else if (!x && !y) return;
  else if (event.shiftKey) {
    const { left, top, width, height } = region;
    const [wider, taller] = [STEP * x, -STEP * y];
    setRegion({ left: left - wider / 2, top: top - taller / 2, width: width + wider, height: height + taller });
  } else setRegion({ ...region, left: region.left + STEP * (isMirrored() ? -x : x), top: region.top + STEP * y });
  event.preventDefault();
  sayRegion();
}

regionBox.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!event.isPrimary) return endDrag(); // a second finger enlarges the page
  regionBox.setPointerCapture(event.pointerId);
  drag = { pointer: event.pointerId, from: place(event), region, corner: event.target.dataset.corner };
});
regionBox.addEventListener("pointermove", dragTo);
regionBox.addEventListener("pointerup", () => (drag = null));
regionBox.addEventListener("pointercancel", endDrag); // the page is scrolled instead
regionBox.addEventListener("dblclick", () => setRegion(WHOLE));
regionBox.addEventListener("keydown", moveByKey);
wholeButton.addEventListener("click", () => setRegion(WHOLE));

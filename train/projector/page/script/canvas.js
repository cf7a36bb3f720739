// Drawing: dots or pictures on one canvas, ring, lines and names on the other.

const [dots, marks] = [find("dots"), find("marks")];
const NEAR = 3.2; // how far the eye is from the middle of a cloud of radius 1
const FAINT = 0.1; // what was not looked for
const MOVE_MS = 600;

// What is shown now. `places` fly from `from` to `to` while `began` is less than MOVE_MS ago.
const scene = { to: null, from: null, began: 0, box: null, depth: 2, turn: STRAIGHT, zoom: 1, pan: [0, 0], count: 0 };
// What of the points is shown: codes of the column that colours them, hidden codes, those looked for (null: all).
const look = { codes: null, values: [], hidden: new Set(), sought: null, pixels: null, asPictures: false, names: true };
const picked = { hovered: -1, chosen: -1, neighbours: [], ends: null };
const screen = { xs: new Float32Array(0), ys: new Float32Array(0), depths: new Float32Array(0) };
let isDirty = false;

function redraw() {
  if (isDirty) return;
  isDirty = true;
  requestAnimationFrame(() => {
    isDirty = false;
    draw();
  });
}

const scaleOf = () => {
  const [width, height] = [marks.clientWidth / 2 - 24, marks.clientHeight / 2 - 36];
  const [x, y, z] = scene.box.half;
  const fit = scene.depth === 3 ? Math.min(width, height) / (Math.hypot(x, y, z) * 0.8 || 1) : Math.min(width / (x || 1), height / (y || 1));
  return fit * scene.zoom;
};

// Each point's place on the screen in CSS pixels, and its depth, -1 (far) to 1.
function project(now) {
  const progress = Math.min(1, (now - scene.began) / MOVE_MS);
  const share = progress * progress * (3 - 2 * progress);
  const scale = scaleOf();
  const [left, top] = [marks.clientWidth / 2 + scene.pan[0], marks.clientHeight / 2 + scene.pan[1]];
  const { turn, to, from, box } = scene;
  const radius = Math.hypot(...box.half) || 1;
  for (let i = 0, k = 0; i < scene.count; i++, k += 3) {
    let [x, y, z] = [to[k] - box.centre[0], to[k + 1] - box.centre[1], to[k + 2] - box.centre[2]];
    if (from && share < 1) {
      x = from[k] + share * (x - from[k]);
      y = from[k + 1] + share * (y - from[k + 1]);
      z = from[k + 2] + share * (z - from[k + 2]);
    }
    const depth = (turn[6] * x + turn[7] * y + turn[8] * z) / radius;
    const shrunk = (scale * NEAR) / (NEAR - depth);
    screen.xs[i] = left + shrunk * (turn[0] * x + turn[1] * y + turn[2] * z);
    screen.ys[i] = top - shrunk * (turn[3] * x + turn[4] * y + turn[5] * z);
    screen.depths[i] = depth;
  }
  if (progress >= 1) scene.from = null;
  else redraw();
}

const isShown = (i) => !look.hidden.has(look.codes[i]);
const isSought = (i) => !look.sought || look.sought.has(look.codes[i]);

// The points from the farthest to the nearest, those not looked for first.
function ordered() {
  const BUCKETS = 512;
  const bucketOf = (i) => (isSought(i) ? BUCKETS : 0) + Math.min(BUCKETS - 1, Math.max(0, Math.floor(((screen.depths[i] + 1) / 2) * BUCKETS)));
  const starts = new Uint32Array(2 * BUCKETS + 1);
  const buckets = new Uint16Array(scene.count);
  for (let i = 0; i < scene.count; i++) starts[(buckets[i] = bucketOf(i)) + 1]++;
  for (let k = 0; k < 2 * BUCKETS; k++) starts[k + 1] += starts[k];
  const order = new Uint32Array(scene.count);
  for (let i = 0; i < scene.count; i++) order[starts[buckets[i]]++] = i;
  return order;
}

const discs = new Map();
// A disc's coverage, 0..255, of (2 * reach + 1)^2 pixels; radius in quarters of a pixel.
function discOf(quarters) {
  if (!discs.has(quarters)) {
    const radius = quarters / 4;
    const reach = Math.ceil(radius);
    const cover = [];
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) cover.push(255 * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y))));
    discs.set(quarters, { reach, cover: Uint8Array.from(cover) });
  }
  return discs.get(quarters);
}

const dotRadius = () => Math.min(9, Math.min(5, Math.max(2, 220 / Math.sqrt(scene.count))) * Math.max(1, scene.zoom ** 0.4));

let drawn = null; // the last frame's memory, used again

function drawDots(ratio) {
  const context = dots.getContext("2d", { alpha: false });
  const { width, height } = dots;
  const [red, green, blue] = rgbOf(themeColour("panel"));
  if (drawn?.width !== width || drawn.height !== height) drawn = new ImageData(width, height);
  const image = drawn;
  new Uint32Array(image.data.buffer).fill((0xff000000 | (blue << 16) | (green << 8) | red) >>> 0);
  const colours = look.values.map((value) => rgbOf(colourOf(value)));
  const { data } = image;
  for (const i of ordered()) {
    if (!isShown(i)) continue;
    const near = scene.depth === 3 ? (screen.depths[i] + 1) / 2 : 1;
    const strength = (isSought(i) ? 0.35 + 0.55 * near : FAINT) * 256;
    const { reach, cover } = discOf(Math.round(4 * ratio * dotRadius() * (0.7 + 0.3 * near)));
    const [left, top] = [Math.round(screen.xs[i] * ratio) - reach, Math.round(screen.ys[i] * ratio) - reach];
    if (left < 0 || top < 0 || left + 2 * reach >= width || top + 2 * reach >= height) continue;
    const [r, g, b] = colours[look.codes[i]];
    for (let y = 0, c = 0; y <= 2 * reach; y++) {
      let at = 4 * ((top + y) * width + left);
      for (let x = 0; x <= 2 * reach; x++, c++, at += 4) {
        const weight = (cover[c] * strength) / 65536;
        data[at] += (r - data[at]) * weight;
        data[at + 1] += (g - data[at + 1]) * weight;
        data[at + 2] += (b - data[at + 2]) * weight;
      }
    }
  }
  context.putImageData(image, 0, 0);
}

const pictureSide = () => Math.min(2 * SIDE, (scene.count > 2000 ? 12 : 22) * Math.sqrt(scene.zoom));

function drawPictures(ratio) {
  const context = dots.getContext("2d", { alpha: false });
  context.fillStyle = themeColour("panel");
  context.fillRect(0, 0, dots.width, dots.height);
  const sheet = sheetOf(look.pixels);
  const side = pictureSide() * ratio;
  const border = Math.max(1, side / 14);
  for (const i of ordered()) {
    const [x, y] = [screen.xs[i] * ratio, screen.ys[i] * ratio];
    if (!isShown(i) || x < -side || y < -side || x > dots.width + side || y > dots.height + side) continue;
    context.globalAlpha = isSought(i) ? 1 : FAINT;
    context.fillStyle = colourOf(look.values[look.codes[i]]);
    context.fillRect(x - side / 2 - border, y - side / 2 - border, side + 2 * border, side + 2 * border);
    context.drawImage(sheet, (i % SHEET_COLUMNS) * SIDE, Math.floor(i / SHEET_COLUMNS) * SIDE, SIDE, SIDE, x - side / 2, y - side / 2, side, side);
  }
  context.globalAlpha = 1;
}

function draw() {
  if (!scene.to || !marks.clientWidth) return;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(marks.clientWidth * ratio), Math.round(marks.clientHeight * ratio)];
  for (const canvas of [dots, marks]) if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  project(performance.now());
  (look.asPictures ? drawPictures : drawDots)(ratio);
  drawMarks(ratio);
}

new ResizeObserver(redraw).observe(marks);
DARK.addEventListener("change", redraw);

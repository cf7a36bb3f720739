"use strict";
// What the page carries: "about" describes it; each array is gzipped in a script element of its own, and read when it is first needed.

const find = (id) => document.getElementById(id);
const about = JSON.parse(find("about").textContent);
const KINDS = { uint8: Uint8Array, int16: Int16Array };
const loading = new Map();

// An array by its name: { codes, shape, low, step }; what is meant is low + step * code.
function load(name) {
  if (!loading.has(name)) loading.set(name, decode(name));
  return loading.get(name);
}

async function decode(name) {
  const { type, shape, low, step } = about.arrays[name];
  const packed = bytesOf(find(name).textContent);
  find(name).remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { codes: new KINDS[type](await new Response(stream).arrayBuffer()), shape, low, step };
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64); // younger than the oldest browsers that show the page
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const loadAll = (names) => Promise.all(names.map(load));

// Which codes of a column a pattern means: a whole word before parts of words; /.../ is a regular expression. Case does not matter.
function matching(pattern, values) {
  const wish = pattern.trim().toLowerCase();
  const expression = /^\/(.+)\/$/.exec(pattern.trim());
  let isMeant = (value) => value.toLowerCase().includes(wish);
  if (expression) {
    const parsed = new RegExp(expression[1], "i"); // a SyntaxError if it is none
    isMeant = (value) => parsed.test(value);
  } else if (values.some((value) => value.toLowerCase() === wish)) {
    isMeant = (value) => value.toLowerCase() === wish;
  }
  return new Set(values.flatMap((value, code) => (wish && isMeant(value) ? [code] : [])));
}

// The mean of the points that have one of these codes: { mean: Float64Array (D), count }.
function meanOf(points, codes, wanted) {
  const [count, dimensions] = [codes.length, points.codes.length / codes.length];
  const sum = new Float64Array(dimensions);
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (!wanted.has(codes[i])) continue;
    found++;
    for (let d = 0, at = i * dimensions; d < dimensions; d++) sum[d] += points.codes[at + d];
  }
  return { mean: sum.map((total) => points.low + (points.step * total) / found), count: found };
}

// Each point's product with a direction: Float64Array (N).
function along(points, direction) {
  const dimensions = direction.length;
  const products = new Float64Array(points.codes.length / dimensions);
  const base = points.low * direction.reduce((sum, part) => sum + part, 0);
  for (let i = 0; i < products.length; i++) {
    let sum = 0;
    for (let d = 0, at = i * dimensions; d < dimensions; d++) sum += points.codes[at + d] * direction[d];
    products[i] = base + points.step * sum;
  }
  return products;
}

const dot = (a, b) => a.reduce((sum, part, d) => sum + part * b[d], 0);

// The points nearest to one, the nearest first: [{ index, distance }, ...]; of equally near ones the lower index.
function nearest(points, chosen, metric, count = 10) {
  const dimensions = points.codes.length / points.shape[0];
  const value = (at) => points.low + points.step * points.codes[at];
  const own = Float64Array.from({ length: dimensions }, (_, d) => value(chosen * dimensions + d));
  const ownLength = Math.sqrt(dot(own, own));
  const found = [];
  for (let i = 0; i < points.shape[0]; i++) {
    if (i === chosen) continue;
    let [squares, product, length] = [0, 0, 0];
    for (let d = 0, at = i * dimensions; d < dimensions; d++) {
      const number = value(at + d);
      squares += (number - own[d]) ** 2;
      product += number * own[d];
      length += number * number;
    }
    const distance = metric === "cosine" ? 1 - product / (ownLength * Math.sqrt(length) || 1) : Math.sqrt(squares);
    if (found.length === count && distance >= found[count - 1].distance) continue;
    const place = found.findIndex((other) => distance < other.distance);
    found.splice(place < 0 ? found.length : place, 0, { index: i, distance });
    found.length = Math.min(found.length, count);
  }
  return found;
}

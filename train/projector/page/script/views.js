// Where the points lie in each view: pure functions from arrays to places, Float32Array (N * 3), z = 0 in the plane.

const percent = (share) => `${(100 * share).toFixed(share < 0.095 ? 1 : 0)} %`;

// Coordinates (N, K) as places, of the first `depth` of their columns.
function spread({ codes, shape, low, step }, depth) {
  const [count, columns] = shape;
  const places = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < Math.min(depth, columns); axis++) places[3 * i + axis] = low + step * codes[columns * i + axis];
  }
  return places;
}

// Across from one mean (0) to the other (1). Upwards likewise between two further patterns; without them the first
// principal axis, made perpendicular, in the same unit. `ends` are Sets of codes: from, to, bottom, top. Throws Error.
function axisPlaces(points, codes, ends, principal) {
  const line = (from, to) => {
    const [start, end] = [from, to].map((wanted) => meanOf(points, codes, wanted));
    if (!start.count || !end.count) throw new Error("no point has that name");
    const direction = end.mean.map((part, d) => part - start.mean[d]);
    const square = dot(direction, direction);
    if (square < 1e-12) throw new Error("both ends are at the same place");
    return { start, end, unit: direction.map((part) => part / square), square };
  };
  const across = line(ends.from, ends.to);
  let up;
  if (ends.bottom) up = line(ends.bottom, ends.top);
  else {
    const share = dot(principal, across.unit) * across.square; // the principal axis' product with the direction
    const rest = Float64Array.from(principal, (part, d) => part - share * across.unit[d]);
    const length = Math.sqrt(dot(rest, rest) * across.square) || 1;
    up = { unit: rest.map((part) => part / length), start: across.start };
  }
  const [xs, ys] = [across, up].map(({ unit, start }) => along(points, unit).map((product) => product - dot(start.mean, unit)));
  const places = new Float32Array(xs.length * 3);
  for (let i = 0; i < xs.length; i++) [places[3 * i], places[3 * i + 1]] = [xs[i], ys[i]];
  return { places, counts: [across.start.count, across.end.count] };
}

// The box around places that are finite: { centre: [x, y, z], half: [x, y, z] }.
function boxOf(places) {
  const [least, most] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  for (let k = 0; k < places.length; k++) {
    least[k % 3] = Math.min(least[k % 3], places[k]);
    most[k % 3] = Math.max(most[k % 3], places[k]);
  }
  return {
    centre: least.map((low, axis) => (low + most[axis]) / 2),
    half: least.map((low, axis) => (most[axis] - low) / 2),
  };
}

// 3x3 matrices, row by row.
const STRAIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const product = (a, b) => a.map((_, k) => [0, 1, 2].reduce((sum, j) => sum + a[3 * Math.floor(k / 3) + j] * b[3 * j + (k % 3)], 0));
const transposed = (a) => a.map((_, k) => a[3 * (k % 3) + Math.floor(k / 3)]);
function turning(right, down) {
  const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
  return product([1, 0, 0, 0, d, -t, 0, t, d], [c, 0, s, 0, 1, 0, -s, 0, c]);
}

// What lies over the points: the ends of an axis, lines to neighbours, rings, names.

function drawMarks(ratio) {
  const context = marks.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, marks.clientWidth, marks.clientHeight);
  if (picked.ends) drawEnds(context, picked.ends);
  if (look.names) drawNames(context);
  const at = (i) => [screen.xs[i], screen.ys[i]];
  if (picked.chosen >= 0 && isShown(picked.chosen)) {
    const neighbours = picked.neighbours.filter(({ index }) => isShown(index));
    context.strokeStyle = themeColour("ink");
    context.lineWidth = 1;
    for (const { index } of neighbours) {
      context.beginPath();
      context.moveTo(...at(picked.chosen));
      context.lineTo(...at(index));
      context.stroke();
    }
    for (const { index } of neighbours) ring(context, at(index), 1, 1.5);
    ring(context, at(picked.chosen), 4, 2.5);
  }
  if (picked.hovered >= 0) ring(context, at(picked.hovered), 3, 2);
}

function ring(context, [x, y], wider, width) {
  const radius = (look.asPictures ? pictureSide() / 1.6 : dotRadius()) + wider;
  for (const [colour, line] of [[themeColour("panel"), width + 2], [themeColour("ink"), width]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

// Where a place of the plane is on the screen.
function onScreen(x, y) {
  const scale = scaleOf();
  const [cx, cy] = scene.box.centre;
  return [marks.clientWidth / 2 + scene.pan[0] + scale * (x - cx), marks.clientHeight / 2 + scene.pan[1] - scale * (y - cy)];
}

// Upright lines at 0 and 1, and level ones where the upwards axis has two ends, too.
function drawEnds(context, { across, up }) {
  context.strokeStyle = context.fillStyle = themeColour("ink");
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  for (const place of [0, 1]) {
    const [x, y] = onScreen(place, place);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, marks.clientHeight);
    if (up) {
      context.moveTo(0, y);
      context.lineTo(marks.clientWidth, y);
    }
    context.stroke();
  }
  context.setLineDash([]);
  const [[left, bottom], [right, top]] = [onScreen(0, 0), onScreen(1, 1)];
  write(context, across[0], left, 30, "end");
  write(context, across[1], right, 30, "start");
  if (!up) return;
  write(context, up[0], 12, bottom - 10, "start");
  write(context, up[1], 12, top - 10, "start");
}

function write(context, text, x, y, align = "center") {
  context.font = "600 13px system-ui, sans-serif";
  [context.textAlign, context.textBaseline, context.lineWidth, context.lineJoin] = [align, "middle", 4, "round"];
  const shift = align === "start" ? 6 : align === "end" ? -6 : 0;
  context.strokeStyle = themeColour("panel");
  context.strokeText(text, x + shift, y);
  context.fillStyle = themeColour("ink");
  context.fillText(text, x + shift, y);
}

const middleOf = (numbers) => numbers.sort()[Math.floor(numbers.length / 2)];

// Each word at the middle of its points, moved down where it would lie on another.
function drawNames(context) {
  const placed = [];
  const own = look.values.map(() => [[], []]);
  for (let i = 0; i < scene.count; i++) {
    own[look.codes[i]][0].push(screen.xs[i]);
    own[look.codes[i]][1].push(screen.ys[i]);
  }
  look.values.forEach((text, code) => {
    if (look.hidden.has(code) || (look.sought && !look.sought.has(code)) || !own[code][0].length) return;
    const [x, y] = own[code].map((numbers) => middleOf(Float32Array.from(numbers)));
    placed.push({ text, x, y, width: 8 * text.length });
  });
  placed.sort((a, b) => a.y - b.y);
  placed.forEach((name, index) => {
    const isOn = (other) => Math.abs(other.x - name.x) < (other.width + name.width) / 2 && Math.abs(other.y - name.y) < 16;
    while (placed.slice(0, index).some(isOn)) name.y += 2;
    write(context, name.text, name.x, name.y);
  });
}

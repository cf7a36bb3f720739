// Pictures and colours.

const SIDE = about.side;
const SHEET_COLUMNS = 100;
const DARK = matchMedia("(prefers-color-scheme: dark)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const PALETTE = ["#4e79a7", "#f28e2b", "#e15759", "#3fa7a0", "#59a14f", "#d4a72c", "#b07aa1", "#f27ba5", "#9c755f", "#6a6fd8", "#17a5d6", "#8a9a1f"];
const FIXED = { none: "#8c8f8e", unsure: "#c99a2e", right: "#4f9d69", wrong: "#d1495b" };
// A word has the same colour wherever it stands: first the classes of all sets, by name, then all other words.
const words = [...new Set([0, 1].flatMap((later) => about.sets.flatMap((set) => set.columns.slice(later, later ? undefined : 1).flatMap((column) => column.values.toSorted()))))].filter((word) => !FIXED[word]);

const colourOf = (word) => {
  const index = words.indexOf(word);
  return FIXED[word] ?? PALETTE[index] ?? `hsl(${(index * 137.5) % 360} 55% ${DARK.matches ? 65 : 45}%)`;
};

const swatch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgbs = new Map();
// A CSS colour as [red, green, blue], 0..255.
function rgbOf(colour) {
  if (!rgbs.has(colour)) {
    swatch.fillStyle = colour;
    swatch.fillRect(0, 0, 1, 1);
    rgbs.set(colour, [...swatch.getImageData(0, 0, 1, 1).data.slice(0, 3)]);
  }
  return rgbs.get(colour);
}
const themeColour = (name) => getComputedStyle(find("stage")).getPropertyValue(name === "panel" ? "background-color" : "color");

// One grey picture of a set's pixels, drawn at its own size; CSS enlarges it.
function drawPicture(canvas, pixels, index) {
  canvas.width = canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  fill(image, 0, 0, pixels, index);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function fill(image, left, top, pixels, index) {
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [from, to] = [(index * SIDE + y) * SIDE + x, 4 * ((top + y) * image.width + left + x)];
      image.data[to] = image.data[to + 1] = image.data[to + 2] = pixels.codes[from];
      image.data[to + 3] = 255;
    }
  }
}

const sheets = new Map();
// All pictures of a set side by side, SHEET_COLUMNS in a row: made when pictures are first shown as points.
function sheetOf(pixels) {
  if (!sheets.has(pixels)) {
    const canvas = document.createElement("canvas");
    const count = pixels.shape[0];
    [canvas.width, canvas.height] = [SHEET_COLUMNS * SIDE, Math.ceil(count / SHEET_COLUMNS) * SIDE];
    const image = new ImageData(canvas.width, canvas.height);
    for (let i = 0; i < count; i++) fill(image, (i % SHEET_COLUMNS) * SIDE, Math.floor(i / SHEET_COLUMNS) * SIDE, pixels, i);
    canvas.getContext("2d").putImageData(image, 0, 0);
    sheets.set(pixels, canvas);
  }
  return sheets.get(pixels);
}

// The page's script: these files, in the order that app.py gives, as one function. It runs once, when Gradio has put
// page.html on the page. Gradio provides `element`, `props` and `server`.

const find = (id) => element.querySelector("#" + id);
const root = element.querySelector(".edge");
const [view, video, picture] = ["view", "video", "picture"].map(find);
const [startButton, pauseButton] = ["start", "pause"].map(find);
const [modelChoice, thresholdChoice] = ["model", "threshold"].map(find);
const onDevice = props.settings.device;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const within = (ms, promise) => Promise.race([promise, wait(ms)]);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Whoever waits for a change of what is wished, shown or paused is woken by it.
let changes = 0;
let wakeUp = () => {};
const woken = () => new Promise((resolve) => (wakeUp = resolve));
function wake() {
  changes++;
  wakeUp();
}

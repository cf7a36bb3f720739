// What the page shows and says.

const SPEAK_AFTER_MS = 700; // a name is read out once it has stood this long
const NUMBERS_EVERY_MS = 200; // percentages that change with every frame cannot be read
const STATS_EVERY_MS = 500;
const [PARTS_EVERY_MS, PARTS_SHARE] = [1000, 10]; // at least so long, and so many times what one takes

const [stateLine, answerLine, statsLine, spoken, inputPicture] = ["state", "answer", "stats", "spoken", "input"].map(find);
const partsTick = find("parts");
const bars = [...find("bars").children];
const figures = [...find("figures").querySelectorAll("dd")];

let lastSeen = null; // the picture whose answer is shown, and that answer: { jpeg, part, reply }
let dropped = 0;
let shownAt = []; // when the last answers were shown, ms
let [lastNumbers, lastStats] = [0, 0];
let partsFrom = 0; // when parts may be asked for again, ms
let [standing, speaking] = ["", 0]; // the answer that is shown, and the timer that is to read it out

const speak = (text) => setText(spoken, text);

// The name, or that there is none. A name that comes back is heard again when something else was heard meanwhile.
function speakAnswer({ answer, state }) {
  const text = answer || state;
  if (text === standing) return;
  standing = text;
  clearTimeout(speaking);
  speaking = setTimeout(() => speak(text), SPEAK_AFTER_MS);
}

function say(state, words) {
  root.dataset.state = state;
  setText(stateLine, run?.paused ? `${words} (paused)` : words);
}

// A state that has no answer: nothing is named while it lasts.
function sayWithoutAnswer(state, words) {
  say(state, words);
  setText(answerLine, "");
  setText(statsLine, "");
  showBars([]);
  figures.forEach((figure) => setText(figure, "–"));
  showInput(null);
  shownAt = [];
  lastSeen = null;
  showPlace(null);
  showNumbersNow();
  clearTimeout(speaking);
  standing = "";
  speak(words);
}

function showBars(best) {
  bars.forEach((bar, i) => {
    const { name = "", percent = 0 } = best[i] || {};
    setText(bar.querySelector(".name"), name);
    setText(bar.querySelector(".percent"), name && percent + " %");
    bar.querySelector(".track i").style.transform = `scaleX(${percent / 100})`;
  });
}

function showAnswer(reply, ageMs) {
  const now = performance.now();
  const isNew = reply.state !== root.dataset.state || reply.answer !== answerLine.textContent;
  if (isNew || now - lastNumbers > NUMBERS_EVERY_MS) {
    lastNumbers = now;
    say(reply.state, reply.words);
    setText(answerLine, reply.answer);
    showBars(reply.bars);
    if (!partsTick.checked) showInput(reply.input);
  }
  if (reply.parts && partsTick.checked) showInput(reply.parts);
  answerLine.dataset.model = reply.model;
  speakAnswer(reply);
  shownAt = [...shownAt.filter((then) => now - then < 2000), now];
  statsLine.dataset.answers = Number(statsLine.dataset.answers) + 1;
  statsLine.dataset.dropped = dropped;
  statsLine.dataset.frameAgeMs = ageMs.toFixed(1);
  if (now - lastStats > STATS_EVERY_MS) {
    lastStats = now;
    showStats((1000 * (shownAt.length - 1)) / (now - shownAt[0]), reply, ageMs);
  }
}

const partsAreDue = () => isOpen("details") && partsTick.checked && performance.now() >= partsFrom;

// Parts are covered one after the other, which is work: a small share of the time; for a picture that stands whenever
// it is asked, unless that question was lost.
function restFromParts(tookMs, isAnswered) {
  const restMs = (run?.kind === "still" || run?.paused) && isAnswered ? 0 : Math.max(PARTS_EVERY_MS, PARTS_SHARE * tookMs);
  partsFrom = performance.now() + restMs;
}

function showInput(png) {
  inputPicture.hidden = !png;
  if (png) inputPicture.src = "data:image/png;base64," + png;
  else inputPicture.removeAttribute("src");
}

function showNumbersNow() {
  [lastNumbers, lastStats] = [0, 0];
}

// The rate is that of the last seconds; a single answer has none.
function showStats(rate, reply, ageMs) {
  const classified = `${reply.latency_ms.toFixed(1)} ms to classify · ${ageMs.toFixed(0)} ms behind`;
  setText(statsLine, rate ? `${rate.toFixed(0)} frames/s · ${classified}` : classified);
  const shown = { rate: rate ? rate.toFixed(1) : "–", age: `${ageMs.toFixed(0)} ms`, dropped: String(dropped) };
  for (const [stage, ms] of Object.entries(reply.stages)) shown[stage] = `${ms.toFixed(2)} ms`;
  figures.forEach((figure) => setText(figure, shown[figure.dataset.figure]));
}

partsTick.addEventListener("change", () => {
  partsFrom = 0;
  wake();
});

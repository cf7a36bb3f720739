// Runs once, when Gradio has put page.html on the page. Gradio provides `element`, `props` and `server`.
// One frame is in flight at a time: take the newest, ask the server, show its answer, only then take the next.

const LONGEST_EDGE = 320; // pixels of a frame as it is sent
const JPEG_QUALITY = 0.8;
const ANSWER_TIMEOUT_MS = 5000;
const FRAME_TIMEOUT_MS = 3000;
const RETRY_MS = 1000;
const AGAIN_MS = 50; // when the server is still at this page's last question, asked before a stop and a start
const SPEAK_AFTER_MS = 700; // a name is read out once it has stood this long
const STATS_EVERY_MS = 500;

const find = (id) => element.querySelector("#" + id);
const [root, video, picture] = [element.querySelector(".edge"), find("video"), find("picture")];
const [startButton, stateLine, answerLine, statsLine] = ["start", "state", "answer", "stats"].map(find);
const [modelChoice, spoken] = [find("model"), find("spoken")];
const bars = [...find("bars").children];
const canvas = document.createElement("canvas");
const visitor = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const onDevice = props.settings.device;

let run = null; // the present run: { stream, number, framesSeen }; null while stopped
let dropped = 0;
let shownAt = []; // when the last answers were shown, ms
let lastStats = 0;
let [toSpeak, speaking] = ["", 0];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const within = (ms, promise) => Promise.race([promise, pause(ms)]);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The live region changes when a text has stood for a while, and only when it is another than the last.
function speak(text, afterMs) {
  if (text === toSpeak) return;
  toSpeak = text;
  clearTimeout(speaking);
  speaking = setTimeout(() => setText(spoken, text), afterMs);
}

function say(state, words) {
  root.dataset.state = state;
  setText(stateLine, words);
}

// A state that has no answer: nothing is named while it lasts.
function sayWithoutAnswer(state, words) {
  say(state, words);
  setText(answerLine, "");
  setText(statsLine, "");
  showBars([]);
  speak(words, 0);
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
  say(reply.state, reply.words);
  setText(answerLine, reply.answer);
  answerLine.dataset.model = reply.model;
  showBars(reply.bars);
  speak(reply.answer || spoken.textContent, SPEAK_AFTER_MS);
  const now = performance.now();
  shownAt = [...shownAt.filter((then) => now - then < 2000), now];
  statsLine.dataset.answers = Number(statsLine.dataset.answers) + 1;
  statsLine.dataset.dropped = dropped;
  statsLine.dataset.frameAgeMs = ageMs.toFixed(1);
  if (now - lastStats > STATS_EVERY_MS && shownAt.length > 1) {
    lastStats = now;
    const rate = (1000 * (shownAt.length - 1)) / (now - shownAt[0]);
    const classified = `${reply.latency_ms.toFixed(1)} ms to classify`;
    setText(statsLine, `${rate.toFixed(0)} frames/s · ${classified} · ${ageMs.toFixed(0)} ms behind`);
  }
}

function showModel() {
  const model = props.models.find(({ name }) => name === modelChoice.value);
  setText(find("nameable"), model.nameable);
  setText(find("limits"), model.limits);
}

const CAMERA_TROUBLES = {
  NotAllowedError: ["refused", "the browser may not use the camera. Allow it beside the page's address, then start again."],
  NotFoundError: ["camera lost", "no camera found. Plug one in, then start again."],
  NotReadableError: ["busy", "another program is using the camera. Close it, then start again."],
};

async function openCamera() {
  if (!navigator.mediaDevices) {
    const words = "browsers give no camera to a plain http page of another machine. Open the page on that machine itself, ";
    throw { trouble: ["refused", words + "or start it there with --camera auto."] };
  }
  const size = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
  return navigator.mediaDevices.getUserMedia({ video: size, audio: false });
}

function stop(state, words) {
  if (run && run.stream) run.stream.getTracks().forEach((track) => track.stop());
  run = null;
  video.srcObject = null;
  picture.hidden = true;
  picture.removeAttribute("src");
  root.classList.remove("running");
  setText(startButton, "Start camera");
  sayWithoutAnswer(state, words);
}

async function start() {
  const mine = (run = { stream: null, number: 0, framesSeen: 0 });
  root.classList.add("running");
  setText(startButton, "Stop");
  shownAt = [];
  sayWithoutAnswer("looking", onDevice ? "looking" : "looking: allow the camera if the browser asks");
  if (!onDevice) {
    try {
      const stream = await openCamera();
      if (run !== mine) return stream.getTracks().forEach((track) => track.stop());
      mine.stream = video.srcObject = stream;
      stream.getVideoTracks()[0].onended = () => {
        if (run === mine) stop("camera lost", "camera lost: it has been unplugged or switched off. Start it again.");
      };
      await video.play();
    } catch (error) {
      if (run !== mine) return;
      const unknown = ["camera lost", `the camera cannot be started (${error.name}). Start it again.`];
      const [state, words] = error.trouble || CAMERA_TROUBLES[error.name] || unknown;
      return stop(state, `${state}: ${words}`);
    }
  }
  await follow(mine);
}

async function follow(mine) {
  while (run === mine) {
    if (document.hidden) {
      sayWithoutAnswer("looking", "looking: paused while this tab is hidden");
      await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
      continue;
    }
    const began = performance.now();
    const waitMs = await (onDevice ? watchOnce(mine) : photographOnce(mine));
    const left = waitMs - (performance.now() - began);
    if (left > 0) await pause(left);
  }
}

// Both of the following take one frame's way, and return how long after its beginning the next may begin, in ms.

async function photographOnce(mine) {
  const frame = await nextFrame(mine);
  if (run !== mine || document.hidden) return 0;
  if (!frame) {
    sayWithoutAnswer("camera lost", "camera lost: it gives no pictures. Stop it and start it again.");
    return RETRY_MS;
  }
  const reply = await ask(server.classify_frame, { jpeg: photograph() });
  if (run !== mine) return 0;
  return accept(reply, () => performance.now() - frame.capturedAt);
}

async function watchOnce(mine) {
  const asked = performance.now();
  const reply = await ask(server.watch_camera, { after: mine.number });
  if (run !== mine) return 0;
  if (reply && reply.jpeg) {
    picture.src = "data:image/jpeg;base64," + reply.jpeg;
    picture.hidden = false;
    [mine.number, dropped] = [reply.number, reply.dropped];
  }
  // The two clocks differ: to the age at the server's end comes all the time that was not spent there.
  return accept(reply, () => reply.age_ms + (performance.now() - asked - reply.held_ms));
}

function accept(reply, age) {
  if (!reply) {
    sayWithoutAnswer("looking", "looking: the server does not answer; trying again");
    return RETRY_MS;
  }
  if (reply.again) return AGAIN_MS;
  if (reply.given_up) {
    stop(reply.state, reply.words);
    return 0;
  }
  if (reply.error) {
    sayWithoutAnswer(reply.state, reply.words);
    return RETRY_MS;
  }
  showAnswer(reply, age());
  return props.settings.minIntervalMs;
}

// The server's answer; undefined if it fails or takes too long.
function ask(question, message) {
  const answer = question({ visitor, model: modelChoice.value, ...message }).catch(() => undefined);
  return within(ANSWER_TIMEOUT_MS, answer);
}

// Resolves when the camera has a new picture, with the time it was taken; undefined if none comes.
function nextFrame(mine) {
  const arrived = new Promise((resolve) => {
    if (!video.requestVideoFrameCallback) {
      requestAnimationFrame((now) => resolve({ capturedAt: now }));
      return;
    }
    video.requestVideoFrameCallback((now, { captureTime, presentedFrames }) => {
      if (mine.framesSeen) dropped += Math.max(0, presentedFrames - mine.framesSeen - 1);
      mine.framesSeen = presentedFrames;
      resolve({ capturedAt: captureTime ?? now });
    });
  });
  return within(FRAME_TIMEOUT_MS, arrived);
}

// The whole picture in its own proportions, never mirrored, as base64 JPEG.
function photograph() {
  const scale = Math.min(1, LONGEST_EDGE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", JPEG_QUALITY).split(",")[1];
}

startButton.addEventListener("click", () => {
  if (run) stop("ready", "ready: press Start camera");
  else start();
});
modelChoice.addEventListener("change", showModel);
document.addEventListener("visibilitychange", () => {
  if (run) run.framesSeen = 0; // what passes while nobody looks is not dropped
});
addEventListener("pagehide", () => run && stop("ready", "ready: press Start camera"));
showModel();

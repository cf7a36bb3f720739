// One frame is in flight at a time: take the newest, ask the server, show its answer, only then take the next.

const RETRY_MS = 1000;
const AGAIN_MS = 50; // when the server is still at this page's last question, asked before a stop and a start
const UNSEEN_MS = 300; // how often a page that is not in view looks whether it is again

// What a run takes its frames from, and how it takes one.
const STEPS = { camera: photographOnce, video: photographOnce, still: lookOnce, device: watchOnce };

let run = null; // the present run: { kind, stream, number, framesSeen, paused, asked, end }; null while stopped

function stop(state, words) {
  if (run && run.stream) run.stream.getTracks().forEach((track) => track.stop());
  if (run) run.end = state; // "ready" if somebody wished it
  run = null;
  video.srcObject = null;
  video.removeAttribute("src");
  picture.hidden = true;
  picture.removeAttribute("src");
  root.classList.remove("running");
  if ([pauseButton, regionBox].includes(document.activeElement)) startButton.focus(); // these go
  pauseButton.hidden = regionBox.hidden = true;
  setText(startButton, "Start camera");
  sayWithoutAnswer(state, words);
  wake();
}

function begin(kind, words) {
  run = { kind, stream: null, number: 0, framesSeen: 0, paused: false };
  partsFrom = 0;
  root.classList.add("running");
  pauseButton.hidden = regionBox.hidden = false;
  setText(pauseButton, "Pause");
  setText(startButton, "Stop");
  sayWithoutAnswer("looking", words);
  return run;
}

// A pause may come before the first picture, and ends the wait for it.
async function playOrPause(mine) {
  await video.play().catch((error) => {
    if (!mine.paused) throw error;
  });
  if (run === mine && mine.paused) video.pause();
}

async function start() {
  const mine = begin(onDevice ? "device" : "camera", onDevice ? "looking" : "looking: allow the camera if the browser asks");
  if (!onDevice) {
    try {
      const stream = await openCamera();
      if (run !== mine) return stream.getTracks().forEach((track) => track.stop());
      mine.stream = video.srcObject = stream;
      stream.getVideoTracks()[0].onended = () => {
        if (run === mine) stop("camera lost", "camera lost: it has been unplugged or switched off. Start it again.");
      };
      showMirrored(!facesAway(stream));
      listCameras();
      await playOrPause(mine);
    } catch (error) {
      if (run !== mine) return;
      const unknown = ["camera lost", `the camera cannot be started (${error.name}). Start it again.`];
      const [state, words] = error.trouble || CAMERA_TROUBLES[error.name] || unknown;
      return stop(state, `${state}: ${words}`);
    }
  }
  await follow(mine);
}

const hasPicture = () => video.readyState >= video.HAVE_CURRENT_DATA;

// Whether anybody can see the page: not in a hidden tab of the browser, nor in one of Gradio's.
const isSeen = () => !document.hidden && root.getClientRects().length > 0;

function endUnusable(mine, error) {
  console.error(error);
  if (run === mine) stop("refused", `refused: the page cannot use this picture (${error.name}). Try another.`);
  return 0;
}

async function follow(mine) {
  while (run === mine) {
    if (!root.isConnected) return stop("ready", "ready: press Start camera");
    if (mine.paused || !isSeen()) {
      if (!mine.paused) sayWithoutAnswer("looking", "looking: paused while this tab is hidden");
      mine.framesSeen = 0; // what passes meanwhile is not dropped
      await Promise.race([woken(), wait(UNSEEN_MS)]);
      if (mine.paused && isSeen() && changes !== mine.asked) await lookAgain(mine).catch((error) => endUnusable(mine, error));
      continue;
    }
    const began = performance.now();
    const waitMs = await STEPS[mine.kind](mine).catch((error) => endUnusable(mine, error));
    const left = waitMs - (performance.now() - began);
    if (left > 0) await wait(left);
  }
}

// Each of the following takes one frame's way, and returns how long after its beginning the next may begin, in ms.

async function photographOnce(mine) {
  const frame = await nextFrame(mine);
  if (frame === null || run !== mine || mine.paused || !isSeen()) return 0;
  const stands = !frame && mine.kind === "video"; // one picture may stand for long
  if (stands && (video.error || (hasPicture() && !video.videoWidth))) return stop("refused", NO_FILE);
  if (stands && !hasPicture()) return 0;
  if (!frame && !stands) {
    sayWithoutAnswer("camera lost", "camera lost: it gives no pictures. Stop it and start it again.");
    return RETRY_MS;
  }
  const capturedAt = frame ? frame.capturedAt : performance.now();
  const jpeg = photograph(video, video.videoWidth, video.videoHeight);
  const reply = await ask(server.classify_frame, { jpeg });
  return accept(mine, reply, { jpeg }, () => performance.now() - capturedAt);
}

// A single picture is looked at again only when something else is wished.
async function lookOnce(mine) {
  const [began, seen] = [performance.now(), changes];
  const jpeg = photograph(picture, picture.naturalWidth, picture.naturalHeight);
  const reply = await ask(server.classify_frame, { jpeg, still: true });
  showNumbersNow();
  const waitMs = accept(mine, reply, { jpeg }, () => performance.now() - began);
  if (run === mine && reply && !reply.error && changes === seen) await woken();
  return waitMs;
}

async function watchOnce(mine) {
  const asked = performance.now();
  const part = region;
  const sides = [part.left, part.top, part.width, part.height];
  const reply = await ask(server.watch_camera, { after: mine.number, region: sides });
  if (run === mine && !mine.paused && reply && reply.jpeg) {
    picture.src = "data:image/jpeg;base64," + reply.jpeg;
    picture.hidden = false;
    [mine.number, dropped] = [reply.number, reply.dropped];
  }
  // The two clocks differ: to the age at the server's end comes all the time that was not spent there.
  return accept(mine, reply, { jpeg: reply?.jpeg, part }, () => reply.age_ms + (performance.now() - asked - reply.held_ms));
}

// `seen` is the picture that was answered, `age` tells how old it is now.
function accept(mine, reply, seen, age) {
  if (run !== mine || mine.paused) return 0;
  if (!reply) {
    sayWithoutAnswer("looking", "looking: the server does not answer; trying again");
    stopIfLoggedOut(mine);
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
  lastSeen = { ...seen, reply };
  showAnswer(reply, age());
  showPlace(reply.place);
  return props.settings.minIntervalMs;
}

// The guide lies on the picture itself, whose proportions it takes over.
function fit(width, height) {
  if (!width || !height) return;
  view.style.setProperty("--ratio", width / height);
  root.classList.toggle("upright", width < height);
}
video.addEventListener("resize", () => fit(video.videoWidth, video.videoHeight));
picture.addEventListener("load", () => fit(picture.naturalWidth, picture.naturalHeight));

startButton.addEventListener("click", () => {
  if (run) stop("ready", "ready: press Start camera");
  else start();
});
cameraChoice.addEventListener("change", () => {
  if (!run || run.kind !== "camera") return;
  stop("ready", "ready: press Start camera");
  start();
});
document.addEventListener("visibilitychange", () => {
  const isAsked = run?.asked === changes; // and nothing else is wished by coming back
  wake();
  if (isAsked) run.asked = changes;
});
addEventListener("pagehide", () => run && stop("ready", "ready: press Start camera"));

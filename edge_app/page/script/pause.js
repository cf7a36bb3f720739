// A pause keeps the picture as it stands, and its answer until something else is wished.
async function lookAgain(mine) {
  const [source, width, height] =
    mine.kind === "still" || mine.kind === "device"
      ? [picture, picture.naturalWidth, picture.naturalHeight]
      : [video, video.videoWidth, video.videoHeight];
  if (run !== mine || !width || (source === video && !hasPicture())) return;
  const began = performance.now();
  mine.asked = changes;
  const jpeg = photograph(source, width, height);
  const reply = await ask(server.classify_frame, { jpeg, still: true });
  if (!reply || reply.error) mine.asked = null; // once more, in a moment
  if (run !== mine || !mine.paused) return;
  if (!reply) {
    sayWithoutAnswer("looking", "looking: the server does not answer; trying again");
    stopIfLoggedOut(mine);
    return wait(RETRY_MS);
  }
  if (reply.again) return;
  if (reply.error) {
    sayWithoutAnswer(reply.state, reply.words);
    return wait(RETRY_MS);
  }
  lastSeen = { jpeg, reply };
  shownAt = []; // a single answer has no rate
  showNumbersNow();
  showAnswer(reply, performance.now() - began);
  showPlace(reply.place);
}

function togglePause() {
  if (!run) return;
  run.paused = !run.paused;
  setText(pauseButton, run.paused ? "Continue" : "Pause");
  if (run.paused) video.pause();
  else video.play().catch(() => {});
  say(root.dataset.state, stateLine.textContent.replace(" (paused)", ""));
  partsFrom = 0;
  speak(run.paused ? "paused" : "goes on");
  wake();
  run.asked = lastSeen ? changes : null; // without an answer yet it is asked
}

pauseButton.addEventListener("click", togglePause);

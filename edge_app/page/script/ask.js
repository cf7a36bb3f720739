// A question to the server, and what it means that there is no answer.

const ANSWER_TIMEOUT_MS = 5000;
const REPLY_MS = 30_000; // of what is asked once: a model may have to be loaded, a map made
const PARTS_TIMEOUT_MS = 60_000; // 65 inferences: of vgg19 on a Raspberry Pi 4, 0.7 s each

// A refused question and a lost one look the same from here: Gradio's login is asked.
async function isLoggedOut() {
  const asked = fetch(window.gradio_config.root + "/gradio_api/login_check").catch(() => undefined);
  return (await within(ANSWER_TIMEOUT_MS, asked))?.status === 401;
}

async function stopIfLoggedOut(mine) {
  if ((await isLoggedOut()) && run === mine) stop("refused", "refused: you are logged out. Reload the page to log in.");
}

// In place of an answer that did not come.
async function noAnswer() {
  const words = (await isLoggedOut())
    ? "You are logged out. Reload the page to log in."
    : "The device does not answer. Is it still running?";
  return { error: true, isLost: true, words };
}

// The server's answer; undefined if it fails or takes too long.
async function ask(question, message) {
  const [mine, began] = [run, performance.now()];
  const shown = { show_input: isOpen("details"), show_parts: partsAreDue(), show_place: isOpen("explore"), axis: axis() };
  const wish = { visitor, model: modelChoice.value, threshold, ...shown };
  const answer = question({ ...wish, ...message }).catch(() => undefined);
  const dueMs = mine?.kind === "device" ? props.settings.minIntervalMs : 0; // the camera's next answer may be so far off
  const reply = await within((shown.show_parts ? PARTS_TIMEOUT_MS : ANSWER_TIMEOUT_MS) + dueMs, answer);
  const isCurrent = run === mine && modelChoice.value === wish.model;
  if (shown.show_parts && isCurrent) restFromParts(performance.now() - began, Boolean(reply));
  return reply;
}

// Teaching: pictures of a running camera are recorded, sent with a name, and learned by the device at once.

const LESSON_PICTURES = 10;
const LESSON_EVERY_MS = 300;
const NEXT_PICTURE_MS = 5000 + props.settings.minIntervalMs; // a camera that gives no other by then has given all it has
const PICTURES_PER_MESSAGE = 5;
const CHARACTERS_PER_MESSAGE = 350_000; // the server takes a little more
const HOW_TO =
  "Hold it up, give it a name and press Record: ten pictures in three seconds. Turn and move it meanwhile. " +
  "They are kept in this browser, under Snapshots.";
const STAY = "Its pictures under Snapshots, if there are any, stay until you delete them.";
const EMPTY = "If it is named when it is away, too, record what the camera sees then as “nothing”.";

const [lessonForm, lessonName, recordButton, anewButton] = ["lesson", "lesson-name", "record", "begin-anew"].map(find);
const [recordedBar, lessonWords, taughtList] = ["recorded", "lesson-words", "taught"].map(find);

// One after the other: a late answer would say an old thing over a newer one.
let turn = Promise.resolve();
const inTurn = (work) => (turn = turn.catch(() => undefined).then(work));

// What it is called in a sentence.
const quoted = (label) => (label === "none" ? "“nothing”" : label);

const isRecording = () => recordButton.ariaDisabled === "true";

const inSchool = async (question, model, message) =>
  (await within(REPLY_MS, question({ model, ...message }).catch(() => undefined))) ?? (await noAnswer());

function taughtItem(model, [name, count]) {
  const item = document.createElement("li");
  const words = Object.assign(document.createElement("span"), { textContent: plainName(name) });
  const number = Object.assign(document.createElement("small"), { textContent: `${count} ${count === 1 ? "picture" : "pictures"}` });
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Forget" });
  button.setAttribute("aria-label", `Forget ${quoted(name)}`);
  button.addEventListener("click", () =>
    inTurn(async () => showTaught(model, await inSchool(server.forget, model, { name }), `${quoted(name)} is forgotten. ${STAY}`)),
  );
  item.append(words, number, button);
  return item;
}

// `words` is what to say if all is well. Of a model that is not chosen any more there is nothing to list.
function showTaught(model, reply, words) {
  setText(lessonWords, reply.error ? reply.words : reply.trouble || reply.words || words);
  if (reply.error || model !== modelChoice.value) return;
  const { names, open, trouble } = reply;
  lessonForm.hidden = !open || Boolean(trouble);
  const hadFocus = [anewButton, ...taughtList.querySelectorAll("button")].includes(document.activeElement);
  anewButton.hidden = !open || !trouble;
  taughtList.replaceChildren(...names.map((item) => taughtItem(model, item)));
  if (hadFocus) lessonName.focus();
  for (const button of taughtList.querySelectorAll("button")) button.hidden = !open;
  const own = props.settings.labels.filter((label) => label !== "none" || chosenModel().knowsNothing);
  const known = [...own, ...names.map(([name]) => name)].map(plainName);
  find("lesson-names").replaceChildren(...[...new Set(known)].map((name) => new Option(name, name)));
  wake(); // a still picture is looked at again
}

function hideTaught() {
  lessonForm.hidden = anewButton.hidden = true;
  taughtList.replaceChildren();
}

// The pictures of a run that are answered from now on, as they were looked at; fewer where it gives no more.
async function record(mine, wanted) {
  const pictures = [];
  let before = mine.kind === "still" ? null : lastSeen;
  const hasNews = () => lastSeen && lastSeen !== before;
  while (run === mine && pictures.length < wanted) {
    const untilMs = performance.now() + NEXT_PICTURE_MS;
    while (run === mine && !hasNews() && performance.now() < untilMs) await wait(20);
    if (run !== mine || !hasNews()) break;
    before = lastSeen;
    pictures.push(await partSeen(before));
    recordedBar.value = pictures.length;
    if (pictures.length < wanted) await wait(LESSON_EVERY_MS);
  }
  return pictures;
}

const isNothingTaught = (reply) => Boolean(reply?.names.some(([name]) => name === "none"));

// Pictures in messages that the server takes; a picture by itself is never too long.
function messagesOf(pictures) {
  const messages = [];
  for (const picture of pictures) {
    const last = messages.at(-1);
    const isFull = !last || last.length === PICTURES_PER_MESSAGE || last.join("").length + picture.length > CHARACTERS_PER_MESSAGE;
    if (isFull) messages.push([picture]);
    else last.push(picture);
  }
  return messages;
}

async function teach(model, name) {
  const mine = run;
  if (!mine) return setText(lessonWords, "There is no picture yet: start the camera, or open a picture.");
  if (mine.paused) return setText(lessonWords, "Nothing is recorded while it is paused: press Continue first.");
  const wanted = mine.kind === "still" ? 1 : LESSON_PICTURES;
  const pictures = await record(mine, wanted);
  if (mine.end === "ready") return setText(lessonWords, "The recording was stopped: nothing is learned.");
  if (pictures.length === 0) return setText(lessonWords, "The camera gave no new picture.");
  const learned = [];
  let [reply, taught] = [null, null]; // the last one, and the last one without an error
  for (const jpegs of messagesOf(pictures)) {
    reply = await inSchool(server.teach, model, { name, jpegs });
    if (reply.error) break;
    taught = reply;
    learned.push(...jpegs);
  }
  const label = taught?.name ?? name; // as it is written there
  const known = quoted(label);
  const areKept = learned.length > 0 && (await keepPictures(learned, label, `taught as ${known}`));
  const where = areKept ? "Its pictures are under Snapshots, too." : "This browser could not keep its pictures.";
  const { knowsNothing } = props.models.find((one) => one.name === model); // another may be chosen by now
  const advice = knowsNothing && !isNothingTaught(taught) ? ` ${EMPTY}` : "";
  const isWhole = learned.length === wanted;
  const told = `${known} is learned${isWhole ? "" : ` from only ${learned.length} of ${wanted} pictures`}.`;
  showTaught(model, taught ?? reply, `${told} ${reply.error ? reply.words : where + advice}`);
}

// What a lesson says stays; its end is told even to who has gone to another tab meanwhile.
function showNow() {
  const isLesson = isRecording();
  inTurn(async () => {
    const model = modelChoice.value;
    const reply = await inSchool(server.taught, model, {});
    if (reply.error && model === modelChoice.value) hideTaught(); // it would be another model's
    showTaught(model, reply, isLesson ? lessonWords.textContent : HOW_TO);
  });
}

async function lesson(model, name) {
  const checked = await inSchool(server.teach, model, { name, jpegs: [] });
  if (checked.error) return setText(lessonWords, checked.words); // before ten pictures are recorded for nothing
  recordedBar.value = 0;
  recordedBar.hidden = false;
  setText(lessonWords, "Recording …");
  await teach(model, name);
}

function endLesson() {
  recordButton.setAttribute("aria-disabled", "false");
  recordedBar.hidden = true;
}

lessonForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isRecording()) return;
  recordButton.setAttribute("aria-disabled", "true"); // and it keeps the focus
  setText(lessonWords, "One moment …");
  const [model, name] = [modelChoice.value, lessonName.value.trim()];
  inTurn(() => lesson(model, name).finally(endLesson));
});
anewButton.addEventListener("click", () => {
  if (!confirm("Begin anew? What was taught is moved aside.")) return;
  const model = modelChoice.value;
  inTurn(async () => showTaught(model, await inSchool(server.forget, model, { name: null }), HOW_TO));
});
find("tab-teach").addEventListener("click", showNow);
modelChoice.addEventListener("change", showNow);

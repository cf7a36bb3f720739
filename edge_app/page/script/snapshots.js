// Snapshots: frames with their answers, kept in this browser (IndexedDB) and nowhere else, until they are deleted.

const [snapshotList, keepButton, exportButton, deleteAllButton] = ["snapshots", "keep", "export", "delete-all"].map(find);
const keptWords = find("kept");

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function openStore() {
  const request = indexedDB.open("edge-fashion", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("snapshots", { keyPath: "id", autoIncrement: true });
  return settled(request);
}

// One operation of the store, all of it or nothing, and on the disk when it is done: `work` is given the store and
// returns a request.
async function inStore(mode, work) {
  const database = await openStore();
  try {
    const transaction = database.transaction("snapshots", mode, { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await settled(work(transaction.objectStore("snapshots")));
    await done;
    return result;
  } finally {
    database.close();
  }
}

function bestLabel({ answer, state, bars: [best] }) {
  return state === "sure" ? answer : best.name === "nothing" ? "none" : best.name;
}

const dataUrl = ({ jpeg }) => "data:image/jpeg;base64," + jpeg;
const fileName = ({ id }) => "snapshot-" + String(id).padStart(5, "0");

function snapshotItem(snapshot) {
  const item = document.createElement("li");
  const image = Object.assign(new Image(), { src: dataUrl(snapshot), alt: `Snapshot, answered: ${snapshot.answered}` });
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", `Right label of ${fileName(snapshot)}`);
  const labels = [...new Set([...props.settings.labels, snapshot.label])]; // a taught name is none of the model's own
  choice.append(...labels.map((label) => new Option(label === "none" ? "no garment" : label, label)));
  choice.value = snapshot.label;
  choice.addEventListener("change", () => relabel(snapshot.id, choice.value));
  const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "Delete" });
  remove.setAttribute("aria-label", `Delete ${fileName(snapshot)}`);
  remove.addEventListener("click", () => change((store) => store.delete(snapshot.id)));
  item.append(image, choice, remove);
  return item;
}

function wordsAbout(kept) {
  if (!kept.length) return "Nothing is kept.";
  const taught = new Set(kept.map(({ label }) => label).filter((label) => !props.settings.labels.includes(label)));
  const advice = ` Training may not know ${[...taught].join(", ")}: choose one of the model's own names in the list.`;
  return `${kept.length} kept in this browser, and nowhere else.${taught.size ? advice : ""}`;
}

async function showSnapshots() {
  const kept = await inStore("readonly", (store) => store.getAll());
  const held = document.activeElement;
  const row = [...snapshotList.children].findIndex((item) => item.contains(held));
  snapshotList.replaceChildren(...kept.toReversed().map(snapshotItem));
  if (row >= 0) (snapshotList.children[Math.min(row, kept.length - 1)]?.querySelector(held.tagName) ?? keepButton).focus();
  if (held === deleteAllButton && !kept.length) keepButton.focus();
  exportButton.disabled = deleteAllButton.disabled = kept.length === 0;
  setText(keptWords, wordsAbout(kept));
}

// Whether it could be done; if not, it is said.
async function change(work) {
  try {
    await inStore("readwrite", work);
    await showSnapshots();
    return true;
  } catch (error) {
    setText(keptWords, `The browser could not keep this (${error.name}): it has no room, or does not allow it.`);
    return false;
  }
}

// What another tab has deleted stays deleted.
const relabel = (id, label) =>
  change((store) => {
    const found = store.openCursor(id);
    found.addEventListener("success", () => found.result?.update({ ...found.result.value, label }));
    return found;
  });

// The device's camera gives its whole picture: here the part that was looked at is cut out.
async function partSeen({ jpeg, part }) {
  if (!part) return jpeg;
  const image = Object.assign(new Image(), { src: dataUrl({ jpeg }) });
  await image.decode();
  return photograph(image, image.naturalWidth, image.naturalHeight, part);
}

async function keep() {
  if (!lastSeen) return setText(keptWords, "There is no answer to keep yet.");
  const { reply } = lastSeen;
  await keepPictures([await partSeen(lastSeen)], bestLabel(reply), reply.answer || reply.words);
}

// Whether they are kept.
async function keepPictures(jpegs, label, answered) {
  return change((store) => {
    const first = store.getAll(null, 1);
    first.addEventListener("success", () => {
      const sender = first.result[0]?.sender ?? visitor.slice(0, 12); // one word for all: they are one person's pictures
      for (const jpeg of jpegs) store.add({ jpeg, label, answered, sender });
    });
    return first;
  });
}

// The layout that training reads: photos.csv and images/.
async function exportAll() {
  const kept = await inStore("readonly", (store) => store.getAll());
  const rows = kept.map((snapshot) => [fileName(snapshot), snapshot.label, snapshot.sender, "train"].join(","));
  const table = ["image,label,sender_id,split", ...rows, ""].join("\n");
  const images = kept.map((snapshot) => ({
    name: `images/${fileName(snapshot)}.jpg`,
    bytes: Uint8Array.from(atob(snapshot.jpeg), (letter) => letter.charCodeAt(0)),
  }));
  const archive = zipped([{ name: "photos.csv", bytes: new TextEncoder().encode(table) }, ...images]);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(archive), download: "photos.zip" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

keepButton.addEventListener("click", keep);
exportButton.addEventListener("click", () => exportAll().catch(sayRefused));
deleteAllButton.addEventListener("click", () => {
  if (confirm("Delete all snapshots from this browser?")) change((store) => store.clear());
});
const sayRefused = () => setText(keptWords, "This browser does not let the page keep anything.");
const showAgain = () => showSnapshots().catch(sayRefused);
find("tab-snapshots").addEventListener("click", showAgain); // another tab may have changed them
showAgain();

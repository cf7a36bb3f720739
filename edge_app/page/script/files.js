// A picture or a short video in place of the camera: opened, dropped, pasted, or one of the drawings.

const fileChoice = find("file");
const NO_FILE = "refused: this file is no picture or video that the browser can show. Try another.";
let fileUrl = ""; // of the file that is shown

async function showFile(file) {
  if (run) stop("ready", "ready: press Start camera");
  URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(file);
  const isVideo = file.type.startsWith("video/");
  setRegion(WHOLE);
  const mine = begin(isVideo ? "video" : "still", "looking");
  showMirrored(false);
  try {
    if (isVideo) {
      video.loop = true;
      video.src = fileUrl;
      await playOrPause(mine);
    } else {
      picture.src = fileUrl;
      await picture.decode();
      picture.hidden = false;
    }
  } catch {
    if (run === mine) stop("refused", NO_FILE);
    return;
  }
  if (run === mine) await follow(mine);
}

function takeDropped(event) {
  event.preventDefault();
  root.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (file) showFile(file);
}

find("open").addEventListener("click", () => fileChoice.click());
fileChoice.addEventListener("change", () => {
  if (fileChoice.files.length) showFile(fileChoice.files[0]);
  fileChoice.value = ""; // so that the same file can be opened again
});
root.addEventListener("dragover", (event) => {
  event.preventDefault();
  root.classList.add("dropping");
});
root.addEventListener("dragleave", () => root.classList.remove("dropping"));
root.addEventListener("drop", takeDropped);
// A spreadsheet adds a picture of its cells to their text. Of a copied picture's HTML nothing can be read.
const isText = (clipboard) =>
  new DOMParser().parseFromString(clipboard.getData("text/html"), "text/html").body.textContent.trim() !== "";
document.addEventListener("paste", ({ clipboardData, target }) => {
  const [file] = clipboardData.files;
  const isForName = target === find("lesson-name") && clipboardData.types.includes("text/plain");
  if (file && !isForName && !isText(clipboardData)) showFile(file);
});
for (const button of find("examples").children) {
  button.addEventListener("click", async () => showFile(await (await fetch(button.firstElementChild.src)).blob()));
}

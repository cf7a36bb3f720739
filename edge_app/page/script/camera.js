// The browser's camera: which one, how it is shown, and its newest picture.

const LONGEST_EDGE = 320; // pixels of a picture as it is sent
const JPEG_QUALITY = 0.8;
const FRAME_TIMEOUT_MS = 3000;
const STANDS_MS = 500; // a video's picture that stands longer is asked about again
const SIDES = { user: "Front camera", environment: "Back camera" };
const CAMERA_TROUBLES = {
  NotAllowedError: ["refused", "the browser may not use the camera. Allow it beside the page's address, then start again."],
  NotFoundError: ["camera lost", "no camera found. Plug one in, then start again."],
  OverconstrainedError: ["camera lost", "that camera is not there any more. Choose another under Picture, then start again."],
  NotReadableError: ["busy", "another program is using the camera. Close it, then start again."],
};
const NOT_SECURE =
  "browsers give no camera to a plain http page of another machine. Open a photo under Picture instead. " +
  "(Whoever runs this: start it with --https, or plug a camera into that machine and start it with --camera auto.)";

const cameraChoice = find("camera");
const canvas = document.createElement("canvas");
let mirrorWish = null; // null: as the camera suggests

// On phones the side is what people know; elsewhere cameras have names, and one that runs says that it has no side.
async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const named = devices.filter(({ kind, label }) => kind === "videoinput" && label);
  const used = run?.stream?.getVideoTracks()[0].getSettings();
  const hasSides = !named.length || !used || used.facingMode;
  const sides = hasSides ? Object.entries(SIDES) : [];
  const choices = [...sides, ...named.map(({ deviceId, label }) => ["device:" + deviceId, label])];
  const wished = [cameraChoice.value, "device:" + used?.deviceId];
  cameraChoice.replaceChildren(...choices.map(([value, words]) => new Option(words, value)));
  cameraChoice.value = wished.find((value) => choices.some(([choice]) => choice === value)) ?? choices[0][0];
}

async function openCamera() {
  if (!navigator.mediaDevices) throw { trouble: ["refused", NOT_SECURE] };
  const [kind, deviceId] = cameraChoice.value.split(/:(.*)/s);
  const which = kind === "device" ? { deviceId: { exact: deviceId } } : { facingMode: kind || "user" };
  const size = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
  return navigator.mediaDevices.getUserMedia({ video: { ...size, ...which }, audio: false });
}

// A person's own picture is shown as in a mirror. Only shown: what is sent is never mirrored.
function showMirrored(suggested) {
  const mirrored = mirrorWish ?? suggested;
  view.classList.toggle("mirrored", mirrored);
  mirrorTick.checked = mirrored;
}

const facesAway = (stream) => stream.getVideoTracks()[0].getSettings().facingMode === "environment";

// Resolves when there is a new picture, with the time it was taken; null if a pause comes first, undefined if none comes.
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
  const paused = async () => {
    while (run === mine && !mine.paused) await woken();
    return null;
  };
  return within(mine.kind === "video" ? STANDS_MS : FRAME_TIMEOUT_MS, Promise.race([arrived, paused()]));
}

// The part of a picture that is looked at, in its own proportions, never mirrored, as base64 JPEG.
function photograph(source, pictureWidth, pictureHeight, part = region) {
  const [width, height] = [part.width * pictureWidth, part.height * pictureHeight];
  const scale = Math.min(1, LONGEST_EDGE / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff"; // what transparency shows
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [left, top] = [part.left * pictureWidth, part.top * pictureHeight];
  context.drawImage(source, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", JPEG_QUALITY).split(",")[1];
}

mirrorTick.addEventListener("change", () => {
  mirrorWish = mirrorTick.checked;
  showMirrored(mirrorWish);
});
find("camera-row").hidden = onDevice;
navigator.mediaDevices?.addEventListener("devicechange", listCameras);
showMirrored(!onDevice);
listCameras();

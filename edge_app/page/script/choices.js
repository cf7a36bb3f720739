// The tabs, the model and its threshold: what is wished of the server.

const visitor = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const tabs = [...element.querySelectorAll("[role=tab]")];
const isOpen = (name) => find("tab-" + name).getAttribute("aria-selected") === "true";
let threshold = null; // null: the model's own

function openTab(chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    find(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
  }
  wake();
}

function moveAmongTabs(event) {
  const here = tabs.indexOf(event.target);
  const last = tabs.length - 1;
  const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
  if (here < 0 || to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  tab.click(); // what a tab shows may be asked for when it is clicked
  tab.focus();
}

const chosenModel = () => props.models.find(({ name }) => name === modelChoice.value);

function showThreshold() {
  const value = threshold ?? chosenModel().threshold;
  thresholdChoice.value = value;
  const words = value ? `${Math.round(100 * value)} % sure` : "always";
  setText(find("threshold-shown"), words);
  thresholdChoice.setAttribute("aria-valuetext", words);
}

function showModel() {
  const model = chosenModel();
  setText(find("nameable"), model.nameable);
  setText(find("limits"), model.limits);
  setText(find("facts"), model.facts);
  showThreshold();
}

// A line for each model in the list: its name, size, accuracy and, once the server has timed it, speed.
async function listModels() {
  const speeds = await server.model_speeds({}).catch(() => ({}));
  for (const option of modelChoice.options) {
    const { summary } = props.models.find(({ name }) => name === option.value);
    const ms = (speeds ?? {})[option.value];
    setText(option, ms === undefined ? summary : `${summary} · ${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`);
  }
}

for (const tab of tabs) tab.addEventListener("click", () => openTab(tab));
element.querySelector("[role=tablist]").addEventListener("keydown", moveAmongTabs);
modelChoice.addEventListener("change", () => {
  threshold = null;
  partsFrom = 0;
  showModel();
  wake();
});
thresholdChoice.addEventListener("input", () => {
  threshold = Number(thresholdChoice.value);
  showThreshold();
  wake();
});
showModel();
listModels();

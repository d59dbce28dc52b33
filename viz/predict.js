// Predict: the next number is hidden until the learner types it, or asks for it.

let predicting = false;
const known = new Set();  // the frames that need not be asked for again

const hidden = step => predicting && step !== undefined && !known.has(step.frame) && question(step) !== null;

function question({ part, before, after, to }) {  // what to ask for, and where it is; null if it is not in the data
  if (!isArray(part)) return { of: partial(to), pick: Number };
  if (![part, after].every(x => x[3]) || isArray(before) && !before[3]) return null;
  const sizes = part[3].flat().map(x => Math.abs(x) || 0), where = sizes.indexOf(Math.max(...sizes));
  const columns = part[3][0].length, i = Math.floor(where / columns), j = where % columns;  // the entry changed most
  const index = to.shape.endsWith(",)") ? j : `${i}, ${j}`;
  return { of: `${partial(to)}[${index}]`, pick: x => Number(isArray(x) ? x[3][i][j] : x) };
}

function ask(step, hide) {
  at("question").hidden = !hide;
  at("answer").value = at("verdict").textContent = "";
  if (!hide) return;
  at("question").querySelector("label").textContent = question(step).of + " = ";
  at("answer").focus({ preventScroll: true });
}

const near = (x, y) => Object.is(x, y) || x === y || Math.abs(x - y) <= 0.02 * Math.abs(y);

function judge(x, step) {  // what is wrong with x, or nothing
  const { pick } = question(step), [part, before, after] = [step.part, step.before, step.after].map(pick);
  const { from, to } = step, added = x - before, slope = `∂${from.name}/∂${to.name}`;
  if (near(x, after)) return "";
  if (near(x, -after)) return "The sign is wrong, the size is right.";
  if (before && near(x, part)) {
    return `A term is missing: this is what is sent now, but ${number(before)} had arrived before.`;
  }
  if (before && near(x, before)) return "A term is missing: this is what had arrived before, without what is sent now.";
  if (near(added, -part)) return "The sign of what is sent now is wrong.";
  if (before && near(x, -part)) return "The sign is wrong, and a term is missing: what had arrived before.";
  if (step.slope !== null) {
    const g = Number(gradient(from, last));
    if (near(added, g)) return `A factor is missing: ${slope}.`;
    if (near(added, Number(step.slope))) return `A factor is missing: ${partial(from)} = ${number(g)}.`;
  }
  const times = added / part;
  if (!part || !isFinite(times)) return "This is not it. Look at the rule below.";
  return `A factor is wrong: you add ${number(times)} times what is sent.`
    + (step.slope === null ? " Look at the rule below." : ` What is ${slope}?`);
}

function answered(verdict) {
  known.add(frame);
  show();
  at("sentence").textContent = verdict + at("sentence").textContent;
  at(frame < last ? "next" : "previous").focus();
}

function predict() {
  predicting = !predicting;
  if (predicting) play(false);
  at("predict").setAttribute("aria-pressed", predicting);
  show();
}

at("question").addEventListener("submit", event => {
  event.preventDefault();
  const text = at("answer").value.trim().toLowerCase().replace("−", "-").replace(",", ".");
  const x = Number(text.replace("inf", "Infinity"));
  if (!text || isNaN(x) && text !== "nan") {
    at("verdict").textContent = "Type a number, such as -2.64.";
    return;
  }
  const wrong = judge(x, steps[frame - 2]);
  if (wrong) at("verdict").textContent = wrong;
  else answered("Right! ");
});
at("show").addEventListener("click", () => answered(""));

"use strict";
// Frame 0 shows the values, frame 1 that ∂L/∂L = 1, and each frame after that one contribution, in the engine's
// order. In the data stand
//   nodes   [name, symbol, value, shape, whole name if it was cut], in topological order, the loss last
//   edges   [node, the node that uses it, as which argument]
//   steps   [edge, rule, contribution, sum if it is not the first, ∂node/∂argument of two numbers]
//   rules   [formula, {name in it: "g", "y", "s", "i" or the position of an argument}, result has the node's shape]
// A number is itself; an array is [text, least, greatest] and, if it is small, its rows.

const at = id => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const picture = at("picture"), svg = picture.querySelector("svg");

const nodes = data.nodes.map(([name, symbol, value, shape, whole = name], i) => {
  const element = at("n" + i);
  return { name, symbol, value, shape, whole, inputs: [], terms: [], element, place: element?.querySelector(".g") };
});
const edges = data.edges.map(([source, target, position], i) => {
  nodes[target].inputs[position] = nodes[source];
  return { source: nodes[source], target: nodes[target], position, element: at("e" + i) };
});
const steps = data.steps.map(([edge, rule, part, sum, slope], i) => {
  const { source: to, target: from, position, element } = edges[edge], { terms } = to;
  const before = terms.length ? terms[terms.length - 1].after : 0, after = sum ?? part;
  const step = { frame: i + 2, from, to, position, edge: element, rule: data.rules[rule], part, before, after, slope };
  step.count = terms.push(step);
  return step;
});
const loss = nodes[nodes.length - 1], last = steps.length + 1;

let frame = 0;  // what is shown
let chosen = null;  // the node whose sum is shown, if it is not the one that the step adds to
let timer = null;  // of what plays by itself

// ---- words --------------------------------------------------------------------------------------------------------

function number(x) {  // 4 significant digits, as viz.draw writes them: ties go to the even digit
  x = Number(x);
  if (!isFinite(x)) return isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const size = Math.abs(x), tie = /^\d\.\d{3}50*e/.test(size.toExponential(60));
  let [digits, power] = size.toExponential(3).split("e");
  if (tie && digits.at(-1) % 2) digits = digits.slice(0, -1) + (digits.at(-1) - 1);
  power = Number(power);
  digits = power < -3 || power > 3 ? `${digits}e${power}` : Number(`${digits}e${power}`).toFixed(3 - power);
  return (x < 0 ? "-" : "") + digits;
}

const isArray = Array.isArray;
const said = x => isArray(x) ? x[0] : number(x);
const partial = node => `∂${loss.name}/∂${node.name}`;
const sized = node => node.shape ? " " + node.shape : "";

function sign(x) {
  x = isArray(x) ? Number(x[1]) + Number(x[2]) : Number(x);
  return x > 0 ? "positive" : x < 0 ? "negative" : "zero";
}

function gradient(node, frame) {  // what has arrived at node by then
  if (node === loss) return frame > 0 ? data.seed : undefined;
  return node.terms.filter(step => step.frame <= frame).pop()?.after;
}

function described(node, name = node.name) {  // "h (4, 2) = tanh of z, value 0.6750"
  const made = node.symbol && ` = ${node.symbol} of ${node.inputs.filter(Boolean).map(x => x.name).join(" and ")}`;
  return `${name}${sized(node)}${made}, value ${said(node.value)}`;
}

function formula(step, hide) {  // in two parts, between which a line may end
  const { from, to, count } = step, of = to.terms.length > 1 ? `   ${count}/${to.terms.length}` : "";
  const [text, , fits] = step.rule, summed = fits && from.shape !== to.shape;
  if (step.slope === null) {
    return [`${partial(to)}${sized(to)} += ${text}`, (summed ? `, summed to ${to.shape || "a number"}` : "") + of];
  }
  const [slope, part, after] = hide ? "???" : [step.slope, step.part, step.after].map(number);
  return [
    `${partial(to)} += ∂${from.name}/∂${to.name} × ${partial(from)}`,
    ` = ${slope} × ${number(gradient(from, last))} = ${part}   (${number(step.before)} → ${after})${of}`,
  ];
}

function sentence(step, hide) {
  const { name, value } = loss;
  if (frame === 0) return `Forward: every value up to ${name} = ${said(value)} is there. No gradient has arrived yet.`;
  if (frame === 1) return `Backward starts at ${name} itself: its gradient is ${said(data.seed)}.`;
  const { from, to, count } = step, of = to.terms.length, which = of > 1 ? `term ${count} of ${of}` : "its only term";
  const sender = `${from.name} (${from.symbol})`;
  if (hide) return `${sender} sends ${to.name} ${which}. What is ${question(step).of} after that?`;
  return `${sender} sends ${said(step.part)} to ${to.name}, ${which}. ${partial(to)} `
    + (count > 1 ? `was ${said(step.before)} and ` : "")
    + `is now ${said(step.after)}${count === of ? ": complete." : "."}`;
}

function rule({ rule: [text, names], from, position, slope }) {  // and what the names in it stand for
  const meanings = Object.entries(names).map(([name, what]) => {
    if (what === "s") return `${name}: saved by the forward pass`;
    if (what === "i") return `${name}: ${position}`;
    const node = from.inputs[what] ?? from, x = what === "g" ? gradient(from, last) : node.value;
    const size = node.shape ? sized(node) : x === null ? "" : ` = ${said(x)}`;
    return `${name}: ${what === "g" ? partial(node) : node.name}${size}`;
  });
  return `Rule of ${from.symbol}: ${slope === null ? "" : text + "   "}with ${meanings.join(",  ")}`;
}

// ---- pieces of the page -------------------------------------------------------------------------------------------

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function shape(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function matrix(caption, array) {  // its numbers, on a ground of their sign's colour, as strong as they are large
  const table = make("table"), sizes = array[3].flat().map(x => Math.abs(x)).filter(isFinite);
  const largest = Math.max(...sizes) || 1;
  table.append(make("caption", caption));
  for (const row of array[3]) {
    const line = table.insertRow();
    for (const x of row) {
      const cell = line.appendChild(make("td", number(x), { class: sign(x) }));
      cell.style.setProperty("--part", Math.min(Math.abs(x) / largest, 1) || 0);
    }
  }
  return table;
}

const small = shown => shown.filter(([, x]) => isArray(x) && x[3]).map(([caption, x]) => matrix(caption, x));

function matrices(step, hide) {  // what the step computes with; its result stands beside it, in the sum
  const { from, to } = step, shown = [[`${partial(from)} arrived`, gradient(from, last)]];
  if (!hide) shown.push(["sent", step.part]);
  if (step.count > 1) shown.push([`${partial(to)} before`, step.before]);
  if (hide) from.inputs.forEach((input, i) => shown.push([`argument ${i}, ${input.name}`, input.value]));
  return small(shown);
}

function sum(node, hide) {  // the gradient of a node, term by term
  const g = gradient(node, hide ? frame - 1 : frame), tracked = node === loss || node.terms.length;
  const list = make("ol"), matrices = make("div", "", { class: "matrices" });
  for (const term of node.terms) {
    const now = term.frame === frame, arrived = term.frame < frame || now && !hide;
    const factors = term.slope === null ? "" : `${number(term.slope)} × ${number(gradient(term.from, last))} = `;
    const button = make("button", `${term.count}/${node.terms.length}  from ${term.from.name} (${term.from.symbol}): `
      + (arrived ? factors + said(term.part) : now ? "?" : `comes at step ${term.frame}`));
    button.classList.toggle("later", !arrived);
    if (now) button.setAttribute("aria-current", "step");
    button.addEventListener("click", () => go(term.frame));
    list.appendChild(make("li")).append(button);
  }
  matrices.append(...small([["value", node.value], ["gradient so far", g]]));
  at("sum").replaceChildren(
    make("h2", tracked ? `${partial(node)} = ${g === undefined ? "…" : said(g)}` : node.name),
    make("p", described(node) + (tracked ? "" : ", requires no gradient")), list, matrices);
}

// ---- the picture --------------------------------------------------------------------------------------------------

function mark(node, step, hide) {  // whether it sends or receives, and what has arrived at it
  const { element, terms, place } = node;
  if (!element) return;
  element.classList.toggle("from", node === step?.from || frame === 1 && node === loss);
  element.classList.toggle("to", node === step?.to);
  element.classList.toggle("chosen", node === chosen);
  if (node !== loss && !terms.length) return tell(node, "no gradient required");
  const asked = hide && node === step.to, g = gradient(node, asked ? frame - 1 : frame);
  const arrived = terms.filter(term => term.frame <= frame).length;
  const count = terms.length > 1 ? `, ${arrived} of ${terms.length} terms` : "";
  tell(node, asked ? "gradient asked for" : g === undefined ? "no gradient yet" : `gradient ${exact(g)}${count}`);
  const text = asked ? "∂ ?" : g === undefined ? "∂" : "∂ " + said(g);
  if (place.textContent === text && node.drawn) return;
  place.textContent = text;
  node.bar?.replaceChildren(...(asked || g === undefined ? [] : bars(g)));
  node.drawn = true;
}

const exact = x => isArray(x) ? x[0] : isNaN(x) ? "nan" : String(x);

function tell(node, gradient) {  // what a screen reader says of it, which is its tooltip too
  const text = `${described(node, node.whole)}${isArray(node.value) ? "" : ` (${exact(node.value)})`}; ${gradient}`;
  if (node.told === text) return;
  node.told = text;
  node.element.setAttribute("aria-label", text);
  if (node.tooltip) node.tooltip.textContent = text;
  else node.element.title = text;
}

function bars(g) {  // to the left what is negative, to the right what is positive
  const [low, high] = data.scale, half = 46;
  return (isArray(g) ? [g[1], g[2]] : [g]).map(Number).filter(x => x && isFinite(x)).map(x => {
    const length = half * Math.min(Math.max((Math.log10(Math.abs(x)) - low) / (high - low), 0.05), 1);
    return shape("rect", { class: sign(x), x: half - (x < 0 ? length : 0), y: -3.5, width: length, height: 7 });
  });
}

function label(step, hide) {  // what is sent, in the middle of its edge
  svg?.querySelector(".sent")?.remove();
  if (!svg || !step) return;
  const { x, y } = step.edge.getPointAtLength(step.edge.getTotalLength() / 2);
  const text = svg.appendChild(shape("text", { class: "sent", x, y: y - 7 }));
  text.textContent = isArray(step.part) ? step.to.shape : hide ? "?" : number(step.part);
}

function reveal(...elements) {  // scroll the picture so that these stand in its middle
  const boxes = elements.filter(Boolean).map(element => element.getBoundingClientRect());
  if (!boxes.length) return;
  const middle = (low, high) => (Math.min(...boxes.map(b => b[low])) + Math.max(...boxes.map(b => b[high]))) / 2;
  const room = picture.getBoundingClientRect();
  picture.scrollBy({
    left: middle("left", "right") - (room.left + room.right) / 2,
    top: middle("top", "bottom") - (room.top + room.bottom) / 2,
  });
}

let whole = false;
function fit() {  // as large as there is room; never so small that it cannot be read, unless that is asked for
  at("whole").setAttribute("aria-pressed", whole);
  if (svg) {
    const { width, height } = svg.viewBox.baseVal;
    const room = Math.min((picture.clientWidth - 4) / width, (picture.clientHeight - 4) / height);
    svg.style.width = width * (whole ? room : Math.min(Math.max(room, 1.35), 2)) + "px";
    at("whole").hidden = !whole && room >= 1.35;
  }
  show();
}

// ---- one frame ----------------------------------------------------------------------------------------------------

function show() {
  const step = steps[frame - 2], hide = hidden(step);
  nodes.forEach(node => mark(node, step, hide));
  edges.forEach(({ element }) => element?.classList.remove("now", "gone", "positive", "negative", "zero"));
  for (const { edge, part } of steps.slice(0, Math.max(frame - 1 - hide, 0))) edge?.classList.add("gone", sign(part));
  step?.edge?.classList.add("now");
  label(step, hide);

  const start = frame ? `${partial(loss)} = ${said(data.seed)}` : `${loss.name} = ${said(loss.value)}`;
  at("formula").replaceChildren(...(step ? formula(step, hide) : [start]).map(part => make("span", part)));
  at("sentence").textContent = sentence(step, hide);
  at("rule").textContent = step ? rule(step) : "";
  at("matrices").replaceChildren(...(step ? matrices(step, hide) : []));
  sum(chosen ?? step?.to ?? loss, hide);
  ask(step, hide);

  at("slider").value = frame;
  at("slider").setAttribute("aria-valuetext", at("formula").textContent);
  at("position").textContent = `${frame} / ${last}`;
  at("previous").disabled = frame === 0;
  at("next").disabled = frame === last;
  if (step) reveal(step.from.element, step.to.element);
  else reveal(loss.element);
}

function go(to) {
  frame = Math.min(Math.max(to, 0), last);
  try { history.replaceState(null, "", "#step=" + frame); } catch { /* a frame in a notebook has no address */ }
  show();
}

function by(count) {
  play(false);
  go(frame + count);
}

function play(on = timer === null) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (predicting) predict();
    if (frame === last) go(0);
    timer = setInterval(() => frame < last ? go(frame + 1) : play(false), 1500);
  }
  at("play").textContent = on ? "Pause" : "Play";
  at("play").setAttribute("aria-pressed", on);
}

function choose(node) {
  chosen = chosen === node ? null : node;
  show();
}

// ---- keys and clicks ----------------------------------------------------------------------------------------------

const buttons = {
  previous: () => by(-1), next: () => by(1), play: () => play(), predict: () => predict(),
  whole: () => { whole = !whole; fit(); },
};
const keys = {
  ArrowLeft: buttons.previous, ArrowRight: buttons.next, Home: () => by(-last), End: () => by(last),
  ArrowUp: () => focusOn(-1), ArrowDown: () => focusOn(1),
  " ": buttons.play, p: buttons.predict, w: buttons.whole,
  Escape: () => { chosen = null; document.activeElement.blur(); show(); },
};
const focusable = nodes.filter(node => node.element);

function focusOn(offset) {  // the node so many further on; at first the one that the step adds to
  const here = focusable.findIndex(node => node.element === document.activeElement);
  const first = focusable.indexOf(steps[frame - 2]?.to ?? loss);
  focusable[here < 0 ? first : Math.min(Math.max(here + offset, 0), focusable.length - 1)].element.focus();
}

document.addEventListener("keydown", event => {
  const { target, key } = event, node = focusable.find(({ element }) => element === target);
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (target.id === "answer" && key !== "Escape" && (target.value || !key.startsWith("Arrow"))) return;
  if (node && svg && (key === " " || key === "Enter")) choose(node);
  else if (target.tagName === "BUTTON" && key === " " || !keys[key]) return;
  else keys[key]();
  event.preventDefault();
});

function fromAddress() {
  const found = /step=(\d+)/.exec(location.hash);
  if (found) go(Number(found[1]));
}

function begin() {
  focusable.forEach((node, i) => {
    const { element } = node;
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", i ? -1 : 0);  // one stop for the tab key; the arrow keys go on from there
    element.addEventListener("click", () => choose(node));
    element.addEventListener("focus", () => {
      picture.querySelector("[tabindex='0']").setAttribute("tabindex", -1);
      element.setAttribute("tabindex", 0);
    });
    if (!svg) return;
    element.prepend(node.tooltip = shape("title", {}));
    if (!node.terms.length && node !== loss) return;
    element.append(shape("path", { class: "bar", d: "M0 0h92M46-5v10" }), node.bar = shape("g", { class: "bar" }));
  });
  for (const [id, act] of Object.entries(buttons)) at(id).addEventListener("click", act);
  at("slider").max = last;
  at("slider").addEventListener("input", () => { play(false); go(Number(at("slider").value)); });
  at("whole").hidden = !svg;
  document.querySelector("nav").hidden = at("keys").hidden = false;
  addEventListener("hashchange", fromAddress);
  addEventListener("resize", fit);
  fit();
  fromAddress();
}

(function (id, packed) {
  "use strict";
  // Every copy of this figure that is on the page and not yet alive; an editor may show an output twice.
  const figures = document.querySelectorAll('[data-explorable="' + id + '"]:not([data-live])');
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  new Response(unpacked).json().then((data) => figures.forEach((figure) => enliven(figure, data)));

  function make(parent, name, attributes, text) {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text) made.textContent = text;
    return parent.appendChild(made);
  }

  function picture(data, state) {
    const pieces = data.base.slice();
    for (const [at, count, put] of data.changes[state].slice().reverse()) pieces.splice(at, count, put);
    return pieces.join("");
  }

  function enliven(figure, data) {
    if ("live" in figure.dataset) return;
    make(figure, "style", {}, data.css);
    figure.style.cssText += ";" + data.colours;
    figure.dataset.live = "";
    figure.addEventListener("keydown", (event) => { // which JupyterLab would take to move between cells
      if (event.key.startsWith("Arrow")) event.stopPropagation();
    });
    const place = data.start.slice();
    const controls = make(figure, "div", { class: "controls" });
    const knobs = data.parameters.map(([name, values], k) => {
      const control = make(controls, "div", { class: "control" });
      const label = make(control, "label", {}, name);
      const input = make(label, "input", { type: "range", min: 0, max: values.length - 1, step: 1 });
      const value = make(control, "output", { "aria-hidden": "true" });
      const buttons = [["previous", "\u2039", -1], ["next", "\u203a", 1]].map(([word, sign, by]) => {
        const button = make(control, "button", { type: "button", "aria-label": name + ": " + word }, sign);
        button.addEventListener("click", () => move(k, place[k] + by));
        return [button, by];
      });
      input.addEventListener("input", () => move(k, Number(input.value)));
      return { input, value, values, buttons, count: values.length };
    });
    const stage = make(figure, "div", { role: "img" });
    const words = make(figure, "p", { "aria-live": "polite" });

    function move(k, to) {
      to = Math.max(0, Math.min(knobs[k].count - 1, to));
      if (to !== place[k]) { place[k] = to; show(); }
    }

    function show() {
      const last = knobs.length - 1, { values } = knobs[last];
      const first = place.slice(0, last).reduce((sum, at, k) => sum * knobs[k].values.length + at, 0) * values.length;
      const states = data.changes.slice(first, first + values.length);
      knobs[last].count = states.filter((changes) => changes).length; // it may have fewer, because of the others
      place[last] = Math.min(place[last], knobs[last].count - 1);
      const state = first + place[last];
      stage.innerHTML = picture(data, state);
      stage.setAttribute("aria-label", data.texts[state]);
      words.textContent = data.texts[state];
      knobs.forEach(({ input, value, values, buttons, count }, k) => {
        input.max = count - 1;
        input.value = place[k];
        input.setAttribute("aria-valuetext", values[place[k]]);
        value.textContent = values[place[k]];
        for (const [button, by] of buttons) button.setAttribute("aria-disabled", place[k] + by < 0 || place[k] + by >= count);
      });
      shade();
    }

    function shade() { // as the page around it is: light text means a dark page
      figure.style.colorScheme = "inherit";
      const [red, green, blue] = getComputedStyle(figure.parentElement).color.match(/[\d.]+/g).map(Number);
      figure.style.colorScheme = 2 * red + 5 * green + blue > 4 * 255 ? "dark" : "light";
    }

    if (data.drag) {
      const [left, right, bottom, top] = data.drag;
      stage.classList.add("drags");
      stage.classList.toggle("both", knobs.length > 1);
      const follow = (event) => {
        if (!(event.buttons & 1)) return;
        const at = new DOMPoint(event.clientX, event.clientY)
          .matrixTransform(stage.firstElementChild.getScreenCTM().inverse());
        const parts = [(at.x - left) / (right - left), (at.y - bottom) / (top - bottom)];
        knobs.forEach(({ values }, k) => move(k, Math.round(parts[k] * (values.length - 1))));
      };
      stage.addEventListener("pointerdown", (event) => { stage.setPointerCapture(event.pointerId); follow(event); });
      stage.addEventListener("pointermove", follow);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", shade);
    figure.addEventListener("pointerenter", shade);
    show();
  }
})("ID", "DATA");

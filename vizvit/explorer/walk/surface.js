// Where the walk is drawn: the bar, the teacher's sentence, the text, and the parts of the stage, which stay as long as
// the stage has them, so that what has the focus keeps it.

// theme(): "dark" or "light"; send(name, value): what a part says; pick(key, value): an option that was chosen.
export function createSurface(box, theme, send, pick) {
  const make = (tag, name, ...inside) => {
    const node = Object.assign(document.createElement(tag), { className: name });
    node.append(...inside);
    return node;
  };
  const sentence = make("p", "sentence"), text = make("article", "text"), drawn = make("div", "drawn"), caption = make("p", "caption"), wayOut = make("button", "way-out");
  const hosts = new Map(); // key -> { host, draw }
  let items = [], slot = "main", before = "";
  const bar = hostOf("bar", "bar");
  box.replaceChildren(bar.host, sentence, make("div", "columns", text, make("div", "right", drawn, wayOut, caption)));

  function hostOf(key, part) {
    if (!hosts.has(key)) hosts.set(key, part === "choose" ? chooser(key) : partHost(part));
    return hosts.get(key);
  }

  function partHost(part) {
    const host = make("div", "part"), parentElement = host.attachShadow({ mode: "open" });
    host.dataset.part = part;
    parentElement.append(document.querySelector(`template[data-part="${part}"]`).content.cloneNode(true));
    const say = (name, value) => send(name, value);
    return { host, draw: (data) => globalThis.vizvitParts[part]({ data, parentElement, setTriggerValue: say }) };
  }

  // Options side by side, one of them pressed.
  function chooser(key) {
    const host = make("p", "options");
    return {
      host,
      draw({ label, options, chosen }) {
        const focused = [...host.querySelectorAll("button")].indexOf(document.activeElement);
        host.replaceChildren(make("span", "", label), ...options.map(([value, name]) => {
          const button = make("button", "", name);
          button.setAttribute("aria-pressed", value === chosen);
          button.addEventListener("click", () => pick(key, value));
          return button;
        }));
        if (focused >= 0) host.querySelectorAll("button")[focused].focus();
      },
    };
  }

  const live = (part, key, data) => items.push({ part, key, data, slot });

  return {
    wayOut, live,
    bar: (data) => bar.draw(data),
    say(note, html) {
      sentence.textContent = note;
      sentence.hidden = !note;
      if (text.source !== html) text.innerHTML = text.source = html;
    },
    begin() {
      items = [];
      slot = "main";
    },
    into: (name) => (slot = name),
    show: (key, html) => live("drawing", `drawing ${key}`, { html, theme: theme() }),
    choose(key, label, options, chosen) {
      live("choose", key, { label, options, chosen });
      return chosen;
    },
    end(said, out) {
      const plan = items.map(({ key, slot: place }) => `${place} ${key}`).join("\n");
      if (plan !== before) {
        const inSlot = (name) => items.filter((item) => item.slot === name).map(({ part, key }) => hostOf(key, part).host), [small, large] = ["small", "large"].map(inSlot);
        drawn.replaceChildren(...(large.length ? [make("div", "beside", make("div", "", ...small), make("div", "", ...large))] : []), ...inSlot("main"));
        before = plan;
      }
      for (const { part, key, data } of items) hostOf(key, part).draw(data);
      caption.textContent = said;
      wayOut.textContent = out;
      wayOut.hidden = !out;
    },
  };
}

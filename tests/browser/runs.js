// What Streamlit's page and server say to each other, as `globalThis.runs`: a run is awaited from the message that asks
// for it until one begins, and goes until the page has drawn its end. What a person does stirs the page until that message
// would be sent: Streamlit gathers changes, and sends it in a timeout. The numbers are those of its protobuf messages.
(numbers) => {
  const runs = (globalThis.runs = { stirred: 0, awaited: false, going: 0 });
  const stir = () => {
    runs.stirred += 1;
    requestAnimationFrame(() => setTimeout(() => setTimeout(() => (runs.stirred -= 1))));
  };
  for (const name of ["click", "keydown", "input", "change", "drop", "popstate"]) addEventListener(name, stir, true);

  const { send } = WebSocket.prototype;
  const heard = new WeakSet();

  /** The fields of a protobuf message, number -> value where it is a varint. */
  const fieldsOf = (bytes) => {
    const fields = new Map();
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let scale = 1, more = true; more; scale *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        more = byte > 127;
      }
      return value;
    };
    while (at < bytes.length) {
      const tag = varint();
      const kind = tag % 8;
      const value = kind === 0 || kind === 2 ? varint() : undefined;
      at += kind === 2 ? value : kind === 1 ? 8 : kind === 5 ? 4 : 0;
      fields.set(Math.floor(tag / 8), value);
    }
    return fields;
  };

  const hear = ({ data }) => {
    const fields = fieldsOf(new Uint8Array(data));
    if (fields.has(numbers.begun)) {
      runs.awaited = false;
      runs.going += 1;
    }
    if (!fields.has(numbers.finished) || fields.get(numbers.finished) === numbers.early) return;
    const run = runs.going;
    requestAnimationFrame(() => requestAnimationFrame(() => runs.going === run && (runs.going = 0)));
  };

  WebSocket.prototype.send = function (data) {
    if (!heard.has(this)) {
      heard.add(this);
      this.addEventListener("message", hear);
    }
    if (fieldsOf(new Uint8Array(data)).has(numbers.asked)) runs.awaited = true;
    return send.call(this, data);
  };
}

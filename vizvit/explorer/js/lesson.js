// The lesson: a page that runs the model itself. A picture comes in, the worker runs the model on it, and the explorer
// shows what it left, as if Python had sent it.
//
// For tests and benchmarks, the element of the lesson carries data-shown (how many captures the explorer was given),
// data-features (how many with their features), data-times (milliseconds of the last one, by part), data-by ("webgpu" or
// "webassembly"), and `__vizvit.logits`.

import { fixedText } from "./draw/numbers.js";
import { fill } from "./draw/words.js";
import { frameOf } from "./forward/encode.js";
import { fromBase64 } from "./forward/weights.js";
import { openCamera } from "./lesson/camera.js";
import { buildDesk } from "./lesson/desk.js";
import { createEngine } from "./lesson/engine.js";
import { drawPrediction, foremost } from "./lesson/prediction.js";
import { Refusal, readPicture } from "./lesson/pictures.js";
import { createWalking } from "./lesson/walking.js";
import { handOver } from "./wire/feeds.js";

// update: the explorer's; boxes: { desk, rooms, explorer, walk }, elements; parts: as vizvit/explorer/lesson.py writes them,
// and what createEngine takes.
export function openLesson(update, boxes, parts) {
  const { desk: box, explorer } = boxes, { session, texts, samples, moments, labels, outputs } = parts;
  const lesson = { title: "", sample: null, camera: null, asked: false, picture: null, blob: null, number: parts.number, since: 0, rate: 0, wanted: 0 };
  const engine = createEngine(parts, (answer) => takers[answer.what](answer));
  const desk = buildDesk(box, { ...parts, predicts: labels.length > 0 }, { file: takeFile, sample: takeSample, camera: toggleCamera, moment: takeMoment });
  const looked = () => explorer.querySelector(".vizvit").__vizvit?.choice.view ?? "attention";

  const walking = createWalking(boxes, parts, engine, { weights: () => moments[lesson.number].weights, select });

  // A picture to look at: { data, width, height }. What is there already goes on being shown until it has been answered.
  function look(picture) {
    lesson.picture = { ...picture, data: picture.data.slice() };
    lesson.wanted = engine.ask(picture, lesson.number, !lesson.camera || looked() !== "attention");
  }

  const takers = {
    capture({ id, blob, logits, times, by }) {
      if (id !== lesson.wanted) return; // another picture has been asked for since
      const live = Boolean(lesson.camera);
      if (live) lesson.camera.next(); // the model works on it while this one is drawn
      lesson.blob = blob;
      show(live);
      walking.arrive(id);
      box.__vizvit = { logits };
      box.dataset.by = by;
      if (logits) drawPrediction(desk.prediction, foremost(logits, labels, outputs));
      note("shown", times);
      if (live) tellRate();
      else desk.say("");
    },
    features({ id, bytes, times }) {
      if (id === lesson.wanted) handOver("features", session.key, bytes);
      note("features", times);
    },
    stage: (answer) => walking.take(answer),
    failure({ reason }) {
      walking.fail();
      desk.say("failed", { reason });
    },
  };

  // The explorer over the last picture.
  function show(live) {
    const { weights, trained } = moments[lesson.number], { title } = lesson, caption = fill(session.caption, { picture: title, weights });
    const hear = (name, value) => name === "selection" && walking.follow(value);
    update({ parentElement: explorer, data: frameOf({ ...session, live, trained, caption, name: title, title }, lesson.blob), setStateValue: hear });
  }

  // A place that was chosen on the walk.
  function select(place) {
    Object.assign(session, { start: session.start + 1, selection: { ...place, area: null, rollout: false } });
    show(Boolean(lesson.camera));
  }

  function note(name, times) {
    Object.assign(box.dataset, { [name]: Number(box.dataset[name] ?? 0) + 1, times: JSON.stringify(times) });
  }

  function tellRate() {
    const now = performance.now();
    lesson.rate = lesson.since ? 0.8 * lesson.rate + 0.2 * (1000 / (now - lesson.since)) : 0;
    lesson.since = now;
    if (lesson.rate) desk.say("camera_live", { rate: fixedText(lesson.rate, 1) });
  }

  function settle(title, sample = null) {
    lesson.camera?.stop();
    Object.assign(lesson, { title, sample, camera: null, since: 0, rate: 0 });
    desk.mark(sample, false);
    desk.say("working");
  }

  async function takeFile(file, title = file.name || texts.pasted, sample = null) {
    try {
      const picture = await readPicture(file);
      settle(title, sample);
      look(picture);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      desk.say(error.word, error.values);
    }
  }

  function takeSample(place) {
    const { title, type, data } = samples[place];
    return takeFile(new Blob([fromBase64(data)], { type }), title, place);
  }

  async function toggleCamera() {
    if (lesson.camera) {
      settle(texts.camera_picture);
      return look(lesson.picture); // the last one stays, with its features
    }
    if (lesson.asked) return;
    lesson.asked = true; // the browser is asking
    try {
      desk.say("camera_waiting");
      const camera = await openCamera(look);
      settle(texts.camera_picture);
      lesson.camera = camera;
      desk.mark(null, true);
      camera.next();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      desk.say(error.word, error.values);
    } finally {
      lesson.asked = false;
    }
  }

  function takeMoment(number) {
    lesson.number = number;
    if (lesson.camera || !lesson.picture) return; // the next picture is of it
    desk.say("working");
    look(lesson.picture);
  }

  desk.say("starting");
  return takeSample(parts.first ?? 0);
}

// A camera's pictures, one after the other: the next is taken when the last has been answered.

import { Refusal, pixelsOf } from "./pictures.js";

const WIDE = 640; // pixels that are asked of it; the model sees fewer

export function hasCamera() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

// next() has take(picture) get one; stop() ends it. Refusal where there is no camera.
export async function openCamera(take) {
  const stream = await ask(), video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
  let open = true;

  const shoot = () => open && take(pixelsOf(video, video.videoWidth, video.videoHeight));
  const next = () => (document.hidden ? requestAnimationFrame(shoot) : shoot()); // a hidden page rests

  function stop() {
    open = false;
    for (const track of stream.getTracks()) track.stop();
  }

  await video.play();
  return { next, stop };
}

async function ask() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: WIDE } } });
  } catch (error) {
    throw new Refusal(error.name === "NotAllowedError" ? "camera_denied" : "camera_none", {});
  }
}

// How many columns of head maps make them as large as the space beside the picture allows.

// ratio: width to height of a map; foot: pixels of lettering below each. Without a height, as many as fit comfortably.
export function tileColumns({ count, width, height, ratio, gap, foot, smallest = 64, comfortable = 84 }) {
  const most = Math.max(1, Math.floor((width + gap) / ((height ? smallest : comfortable) + gap)));
  if (!height) return Math.min(count, most);
  for (let columns = 1; columns < Math.min(count, most); columns++) {
    const tile = (width - gap * (columns - 1)) / columns;
    const lines = Math.ceil(count / columns);
    if (lines * (tile / ratio + foot) + gap * (lines - 1) <= height) return columns;
  }
  return Math.min(count, most);
}

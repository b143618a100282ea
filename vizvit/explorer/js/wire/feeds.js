// What Python hands over beside the capture: see vizvit/explorer/feed.js, which runs as a component of its own.

function feedsOfPage() {
  return (globalThis[Symbol.for("vizvit.feeds")] ??= { values: new Map(), listeners: new Map() });
}

// As Python does: for a page that has the bytes in itself.
export function handOver(name, explorer, data) {
  const feeds = feedsOfPage(), place = `${explorer}/${name}`;
  feeds.values.set(place, data);
  feeds.listeners.get(place)?.(data);
}

// Calls `take` with the bytes of a channel, now where they are there already and whenever they change; null when gone.
// Returns a function that ends it.
export function listen(explorer, name, take) {
  const feeds = feedsOfPage();
  const place = `${explorer}/${name}`;
  feeds.listeners.set(place, take);
  if (feeds.values.has(place)) take(feeds.values.get(place));
  return () => {
    if (feeds.listeners.get(place) === take) feeds.listeners.delete(place);
  };
}

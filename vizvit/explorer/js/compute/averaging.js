// A mean over several tokens that is made a slice at a time, so that no frame waits for it.

// A mean over tokens that is made a slice at a time.
export function averaging(size, tokens) {
  return { tokens, next: 0, sum: new Float32Array(size) };
}

// Goes on with it for so many milliseconds; true once it is whole.
export function average(task, compute, scratch, milliseconds) {
  const { tokens, sum } = task, started = performance.now();
  while (task.next < tokens.length && performance.now() - started < milliseconds) {
    compute(tokens[task.next++], scratch);
    for (let i = 0; i < sum.length; i++) sum[i] += scratch[i] / tokens.length;
  }
  return task.next >= tokens.length;
}

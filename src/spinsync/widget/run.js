// A run on the Bloch sphere. sphere.py concatenates these files into one ES module. Python computes the physics
// (packing.py documents the arrays of a run); JavaScript interpolates between times, projects and draws.

function unpack(run) {
  const read = (Kind, view) => new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const time = read(Float64Array, run.time);
  const owner = read(Uint16Array, run.owner);
  return {
    ...run, time, owner,
    vectors: read(Float32Array, run.vectors), mean: read(Float32Array, run.mean), order: read(Float32Array, run.order),
    groupOrder: read(Float32Array, run.groupOrder), phase: read(Float32Array, run.phase),
    shades: words(read(Uint8Array, run.shades)),
    frames: time.length, spins: owner.length, groups: run.names.length,
  };
}

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// linear interpolation of a series at a fractional frame
const between = (series, frame) => {
  const k = Math.min(Math.floor(frame), series.length - 1);
  return series[k] + (frame - k) * (series[Math.min(k + 1, series.length - 1)] - series[k]);
};

// the fractional frame at time t, by bisection
function frameAt(time, t) {
  let low = 0, high = time.length - 1;
  if (t >= time[high]) return high;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle] <= t) low = middle;
    else high = middle;
  }
  return low + Math.max(0, (t - time[low]) / (time[high] - time[low]));
}


// Loaded before anything else: this process stands still at random moments, as on a machine that others use too.
// A test that passes only in good time is found by it. STUTTER_MS: the longest (550).
const longest = Number(process.env.STUTTER_MS ?? 550);
const later = setTimeout;

const standStill = () => {
  const until = performance.now() + longest * (0.05 + 0.95 * Math.random() ** 2);
  while (performance.now() < until);
  wait();
};
const wait = () => later(standStill, longest * (0.4 + 3 * Math.random())).unref();
wait();

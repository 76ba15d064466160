// The database's clock, as far as its answers tell it, and a tick a second for what ages.

import { useEffect, useState } from '../vendor/htm-preact-3.1.1.js';

let ahead = 0;
const tickers = new Set();

/** Learns the difference of the clocks from an answer that says when it was made. */
export function learnTime(asOf) {
  const then = Date.parse(asOf);
  if (!Number.isNaN(then)) ahead = then - Date.now();
}

/** Returns the time of the database's clock, in milliseconds. */
export function now() {
  return Date.now() + ahead;
}

/** Makes a view draw itself again every `seconds`, and returns the time. */
export function useNow(seconds = 1) {
  const [, draw] = useState(0);
  useEffect(() => {
    const ticker = (tick) => tick % seconds === 0 && draw(tick);
    tickers.add(ticker);
    return () => tickers.delete(ticker);
  }, [seconds]);
  return now();
}

let ticks = 0;
setInterval(() => {
  ticks += 1;
  for (const ticker of [...tickers]) ticker(ticks);
}, 1000);

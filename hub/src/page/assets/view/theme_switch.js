// Light, dark, or as the system is.

const ORDER = ['auto', 'light', 'dark'];

/** Returns what is chosen. */
export function chosenTheme() {
  return document.documentElement.dataset.theme || 'auto';
}

/** Chooses the next, keeps it, and returns it. */
export function nextTheme() {
  const theme = ORDER[(ORDER.indexOf(chosenTheme()) + 1) % ORDER.length];
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('trueup-theme', theme);
  } catch {
    // It then lasts as long as the page.
  }
  return theme;
}

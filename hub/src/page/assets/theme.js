// Runs before anything is painted, so that no page flashes in the wrong colours.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('trueup-theme');
  } catch (error) {
    chosen = null; // A browser that keeps nothing for pages.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();

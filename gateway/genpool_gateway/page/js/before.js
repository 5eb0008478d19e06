// Before the first paint: the theme that was chosen here. Not a module, which would run too late.
(() => {
  try {
    const theme = localStorage.getItem("genpool.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* A browser that keeps nothing follows its system. */ }
})();

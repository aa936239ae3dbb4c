// Runs before the first paint so that a chosen theme or language never flashes. A file, not inline: the page's CSP allows none.
try {
  const theme = localStorage.getItem("airouter.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
  const language = localStorage.getItem("airouter.language")
  document.documentElement.lang = language || (navigator.language.startsWith("zh") ? "zh" : "en")
} catch {
  // Storage may be forbidden; the system's theme and English are fine.
}

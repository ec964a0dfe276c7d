// Before the first paint, so that a page chosen dark never flashes white. A file of its own: the server allows no script in the page.
try {
  const chosen = localStorage.getItem('mediadb.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // no storage is no mistake: the system's choice holds
}

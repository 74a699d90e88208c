// Runs before the first paint: dark or light by what was chosen here, else as the system wishes; a wall screen by ?wall=1.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const set = () => {
    root.dataset.theme = localStorage.getItem("jinma_theme") || (system.matches ? "dark" : "light");
    document.dispatchEvent(new Event("theme"));
  };
  if (new URLSearchParams(location.search).get("wall") === "1") root.dataset.wall = "";
  system.addEventListener("change", set);
  document.addEventListener("theme-chosen", set);
  set();
})();

// The page follows the reader's light or dark preference.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.getElementById("api").setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();

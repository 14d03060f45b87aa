// Small comforts on top of pages that work without it: a print button, focus on what went wrong,
// and no second press on a button that is already working.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print]");
  if (button) window.print();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sent = "1";
  if ("download" in form.dataset) setTimeout(() => delete form.dataset.sent, 3000); // the page stays: it may be wanted again
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
document.querySelector("[data-focus]")?.focus();

// A phone that was invited by the QR code of the screen: photograph, send, say what became of it.
// The token stands behind the # of the address and goes nowhere but into the header of these requests.
"use strict";

const main = document.querySelector("main");
const headers = {
  Authorization: `Bearer ${location.hash.slice(1)}`,
  "Accept-Language": document.documentElement.lang,
};

const said = async (answer) => {
  try {
    return (await answer.json()).error.message;
  } catch {
    return main.dataset.failed;
  }
};

const ask = async () => {
  try {
    const answer = await fetch("/asked", { headers });
    const place = document.getElementById("asked");
    if (!answer.ok) {
      place.textContent = await said(answer);
      place.className = "bad";
      return;
    }
    const told = await answer.json();
    place.textContent = main.dataset.of.replace("{material}", told.material).replace("{pages}", told.pages);
    for (const id of ["take", "pick"]) document.getElementById(id).hidden = false;
  } catch {
    document.getElementById("asked").textContent = main.dataset.unreachable;
  }
};

const send = async (file) => {
  const line = document.createElement("li");
  line.textContent = main.dataset.sending;
  document.getElementById("pages").prepend(line);
  try {
    const answer = await fetch("/pages", { method: "POST", headers, body: file });
    line.textContent = answer.ok
      ? main.dataset.taken.replace("{page}", (await answer.json()).page)
      : await said(answer);
    line.className = answer.ok ? "good" : "bad";
  } catch {
    line.className = "bad";
    line.textContent = main.dataset.unreachable;
  }
};

for (const id of ["camera", "album"]) {
  document.getElementById(id).addEventListener("change", async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    for (const file of files) await send(file);
    await ask();
  });
}
ask();

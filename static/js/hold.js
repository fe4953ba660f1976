// Buttons that move live money want to be held: a slip of the hand does nothing. Keys hold as well, and who
// cannot hold presses twice: the first press says so on the button.
const HOLD = 900;
const AGAIN = { least: 500, most: 5000 };

export function watchHold() {
  let running = null;
  const start = (button) => {
    stop();
    button.classList.add("holding");
    running = { button, timer: setTimeout(() => done(button), HOLD) };
  };
  const stop = () => {
    if (!running) return;
    clearTimeout(running.timer);
    running.button.classList.remove("holding");
    running = null;
  };
  const done = (button) => {
    stop();
    button.dataset.held = "yes";
    button.click();
    delete button.dataset.held;
  };
  const held = (event) => event.target.closest?.("[data-hold]");

  document.addEventListener("pointerdown", (event) => event.button === 0 && held(event) && start(held(event)));
  for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) document.addEventListener(name, stop, true);
  document.addEventListener("keydown", (event) => {
    if ((event.key === " " || event.key === "Enter") && held(event)) {
      event.preventDefault();
      if (!event.repeat) start(held(event));
    }
  });
  document.addEventListener("keyup", stop);
  document.addEventListener("click", (event) => {
    const button = held(event);
    if (!button || button.dataset.held) return;
    const waited = Date.now() - (Number(button.dataset.asked) || 0);
    if (waited > AGAIN.least && waited < AGAIN.most) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(button);
  }, true);
}

function ask(button) {
  button.dataset.asked = Date.now();
  button.textContent = "Hold, or press again";
  setTimeout(() => (button.textContent = button.dataset.hold), AGAIN.most);
}

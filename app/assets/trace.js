// The text with its marks: one stop of the tab key with arrow keys among the marks, a card on hover
// or focus, and a click (or Enter) that opens the fact. Everything shown was escaped by Python.
(() => {
  const lamplight = (window.lamplight ??= {});

  lamplight.trace = (element, props, watch, send) => {
    let shown = null; // the hover card that is open
    const host = lamplight.panel(element, props, watch, send);
    const marks = () => [...host.querySelectorAll("[data-mark]")];

    function hide() {
      if (shown) shown.removeAttribute("data-shown");
      shown = null;
    }

    function show(mark) {
      const card = document.getElementById(mark.getAttribute("aria-describedby"));
      if (card === shown) return;
      hide();
      if (!card) return;
      card.setAttribute("data-shown", "");
      const frame = host.getBoundingClientRect();
      const box = mark.getClientRects()[0] ?? mark.getBoundingClientRect();
      const left = Math.min(box.left - frame.left, frame.width - card.offsetWidth - 4);
      const below = box.bottom - frame.top + 8;
      const above = box.top - frame.top - card.offsetHeight - 8;
      const fits = box.bottom + card.offsetHeight + 16 < window.innerHeight;
      card.style.left = `${Math.max(0, left)}px`;
      card.style.top = `${fits || above < 0 ? below : above}px`;
      shown = card;
    }

    function rove() {
      const all = marks();
      const current = all.find((mark) => mark === document.activeElement);
      const stop = current ?? all.find((mark) => mark.classList.contains("selected")) ?? all[0];
      for (const mark of all) mark.tabIndex = mark === stop ? 0 : -1;
    }

    // Text that appears under a resting mouse opens no card; only a mouse that moved does.
    let mouse = "";
    document.addEventListener("mousemove", (event) => (mouse = `${event.screenX} ${event.screenY}`));
    host.addEventListener("mouseover", (event) => {
      const mark = event.target.closest("[data-mark]");
      if (mark && mouse === `${event.screenX} ${event.screenY}`) return;
      if (mark) show(mark);
      else hide();
    });
    host.addEventListener("mouseleave", hide);
    host.addEventListener("click", hide); // the fact's card shows the same and more
    host.addEventListener("focusin", (event) => {
      const mark = event.target.closest("[data-mark]");
      rove();
      if (mark) show(mark);
      else hide();
    });
    host.addEventListener("focusout", hide);
    host.addEventListener("keydown", (event) => {
      const mark = event.target.closest("[data-mark]");
      if (!mark) return;
      const all = marks();
      const at = all.indexOf(mark);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1,
        Home: 0, End: all.length - 1 }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        const next = all[Math.max(0, Math.min(all.length - 1, to))];
        next.focus();
        rove();
      } else if (event.key === "Enter") {
        event.preventDefault();
        lamplight.cameFrom = mark.id;
        lamplight.focusNext = "card-value"; // Enter moves on to the value; a click stays in the text
        // If the card already shows this fact it is not drawn again, so the focus moves at once.
        if (mark.classList.contains("selected")) lamplight.settleFocus();
        send({ ...mark.dataset });
      } else if (event.key === " ") {
        event.preventDefault();
        send({ ...mark.dataset });
      } else if (event.key === "Escape") {
        hide();
      }
    });
    watch("value", () => {
      lamplight.showRewriting(host);
      rove();
      if (shown && !shown.isConnected) shown = null;
    });
    rove();
  };

  // Escape in the card goes back to the mark that it was opened from.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.closest?.("#card")) return;
    const mark = lamplight.cameFrom && document.getElementById(lamplight.cameFrom);
    (mark ?? document.querySelector("#trace .selected, #trace [data-mark]"))?.focus();
  });
})();

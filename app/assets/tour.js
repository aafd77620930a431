// The tour: a small dialog that goes from part to part of the page, and back to the button that started it.
(() => {
  const dialog = () => document.getElementById("tour");
  let step = 0;

  function place(target) {
    const box = target.getBoundingClientRect();
    const own = dialog();
    const wide = window.innerWidth > 760;
    const fitsRight = box.right + own.offsetWidth + 24 < window.innerWidth;
    let left = fitsRight ? box.right + 14 : box.left - own.offsetWidth - 14;
    if (left < 8) left = box.left + (box.width - own.offsetWidth) / 2;
    if (!wide) left = (window.innerWidth - own.offsetWidth) / 2;
    const lowest = window.innerHeight - own.offsetHeight - 12;
    const top = wide ? Math.min(Math.max(box.top + 12, 12), lowest) : lowest;
    own.style.left = `${Math.max(8, Math.min(left, window.innerWidth - own.offsetWidth - 8))}px`;
    own.style.top = `${Math.max(8, top)}px`;
  }

  function show(to) {
    const sections = [...dialog().querySelectorAll("[data-step]")];
    step = Math.max(1, Math.min(sections.length, to));
    for (const each of document.querySelectorAll(".toured")) each.classList.remove("toured");
    for (const section of sections) section.hidden = Number(section.dataset.step) !== step;
    dialog().hidden = false;
    const target = document.querySelector(sections[step - 1].dataset.target);
    target?.classList.add("toured");
    target?.scrollIntoView({ block: "nearest" });
    if (target) place(target);
    dialog().querySelector("[data-page=tour-back]").disabled = step === 1;
    const next = dialog().querySelector("[data-page=tour-next]");
    next.textContent = step === sections.length ? "Done" : "Next";
    next.focus({ preventScroll: true });
  }

  function end() {
    if (!dialog() || dialog().hidden) return;
    dialog().hidden = true;
    for (const each of document.querySelectorAll(".toured")) each.classList.remove("toured");
    document.getElementById("tour-start")?.focus();
  }

  document.addEventListener("click", (event) => {
    const asked = event.target.closest?.("[data-page^=tour]")?.dataset.page;
    if (asked === "tour") show(1);
    if (asked === "tour-back") show(step - 1);
    if (asked === "tour-end") end();
    if (asked === "tour-next") {
      if (step === dialog().querySelectorAll("[data-step]").length) end();
      else show(step + 1);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
  });
})();

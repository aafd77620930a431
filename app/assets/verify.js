// Asks for what the address of *Verify* names: `verify?fact=ID`.
(() => {
  const lamplight = (window.lamplight ??= {});
  let opened = false;
  lamplight.openVerify = () => {
    if (opened) return;
    opened = true;
    const id = new URLSearchParams(location.search).get("fact") ?? "";
    lamplight.act({ action: "verify-open", id });
    // The address follows the fact that was chosen, so that a reload shows it again.
    document.addEventListener("click", (event) => {
      const chosen = event.target.closest?.("[data-action=verify]");
      if (chosen) history.replaceState(null, "", `?fact=${chosen.dataset.id}`);
    });
  };
})();

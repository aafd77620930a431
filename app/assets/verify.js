// Asks for what the address of *Verify* names: `verify?fact=ID`, `verify?text` (the text that this tab
// reads) or `verify?prompt=WORDS`.
(() => {
  const lamplight = (window.lamplight ??= {});
  let opened = false;
  let text = "?text"; // the address of the last text
  // Gradio has a <base>, from which "?fact=1" alone would lead to another page.
  const show = (address) => history.replaceState(null, "", location.pathname + address);
  lamplight.openVerify = () => {
    if (opened) return;
    opened = true;
    const given = new URLSearchParams(location.search);
    if (given.has("prompt")) {
      text = location.search;
      lamplight.act({ action: "verify-text", fields: { prompt: given.get("prompt") } });
    } else if (given.has("text")) {
      lamplight.act({ action: "verify-text" });
    } else {
      lamplight.act({ action: "verify-open", id: given.get("fact") ?? "" });
    }
    // The address follows what was chosen, so that a reload shows it again.
    document.addEventListener("click", (event) => {
      const { action, id, how } = event.target.closest?.("[data-action]")?.dataset ?? {};
      if (action === "verify") show(`?fact=${id}`);
      if (action !== "verify-text" || event.target.closest("form")) return;
      if (!how) text = "?text";
      show(text);
    });
    document.addEventListener("submit", (event) => {
      if (event.target.id !== "text-form") return;
      text = `?${new URLSearchParams({ prompt: event.target.elements.prompt.value })}`;
      show(text);
    });
  };
})();

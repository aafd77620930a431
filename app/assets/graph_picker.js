// The form of a fact that was drawn, next to where it was dropped. Python makes it; Esc closes it.
(() => {
  const lamplight = (window.lamplight ??= {});

  lamplight.graphPicker = (canvas) => {
    const { host, send } = canvas;
    const place = host.parentElement?.querySelector("[data-picker]");
    if (!place || !lamplight.part) return;
    const [props, watch] = lamplight.part("graph-picker", { value: "" }, () => {});
    const form = () => place.querySelector("form");
    let at = null; // where the next form opens, in pixels

    canvas.drawFact = (from, target, x, y) => {
      at = [x, y];
      lamplight.focusNext = "draw-relation";
      const data = { action: "draw", id: from.id };
      if (target) data.target = target.id;
      else data.at = canvas.view.drop(x, y);
      send(data);
    };

    // Keeps the form inside the picture.
    function settle() {
      place.hidden = !form();
      if (!form()) return;
      const frame = host.parentElement.getBoundingClientRect();
      const box = place.getBoundingClientRect();
      const [x, y] = at ?? [frame.width / 2 - box.width / 2, 24];
      const within = (value, most) => Math.max(8, Math.min(value, most - 8));
      place.style.left = `${within(x - box.width / 2, frame.width - box.width)}px`;
      place.style.top = `${within(y + 14, frame.height - box.height)}px`;
    }

    function close() {
      if (!form()) return false;
      at = null;
      place.querySelector("[data-host]").replaceChildren();
      place.hidden = true;
      send({ action: "draw-cancel" });
      host.focus?.({ preventScroll: true });
      return true;
    }
    canvas.closePicker = close;
    canvas.onPress = close;

    place.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      close();
    });
    watch("value", () => (place.hidden = false)); // what is hidden cannot get the focus
    lamplight.panel(place, props, watch, send);
    watch("value", settle);
    settle();
  };
})();

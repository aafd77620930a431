// The menu of a node or a fact in the picture, the box in which it is renamed or changed in place, and
// the drawing of a fact without dragging. They only send what the card's own buttons send, too.
(() => {
  const lamplight = (window.lamplight ??= {});
  const HELD = 550; // milliseconds for which a finger is held for the menu

  lamplight.graphMenu = (canvas) => {
    const { host, send } = canvas;
    const frame = host.parentElement;
    const menu = frame?.querySelector("[data-menu]");
    const box = frame?.querySelector("[data-name-box]");
    if (!menu || !box) return;
    let mark = null; // what the menu or the box is about
    const items = () => [...menu.querySelectorAll("[role=menuitem]:not([hidden])")];

    function inside(element, x, y) {
      const within = (value, most) => Math.max(6, Math.min(value, most - 6));
      element.hidden = false;
      element.style.left = `${within(x, frame.clientWidth - element.offsetWidth)}px`;
      element.style.top = `${within(y, frame.clientHeight - element.offsetHeight)}px`;
    }

    canvas.openMenu = (of) => {
      canvas.closePicker?.();
      close();
      window.Plotly.Fx?.unhover?.(host);
      mark = of;
      const kind = of.action === "restore" ? "deleted" : of.action === "fact" ? "fact"
        : of.id.startsWith("e") ? "entity" : "value";
      for (const item of menu.querySelectorAll("[role=menuitem]"))
        item.hidden = !item.dataset.for.split(" ").includes(kind);
      menu.setAttribute("aria-label", of.name || fact()?.join(" · ") || "What can be done");
      inside(menu, of.x + 8, of.y + 8);
      items()[0]?.focus({ preventScroll: true });
    };

    function close(refocus = false) {
      const open = !menu.hidden || !box.hidden;
      menu.hidden = box.hidden = true;
      if (open && refocus) host.focus({ preventScroll: true });
      return open;
    }

    const factId = () => mark.id.replace(/^f/, "");
    // The relation and the value of the fact, as the server wrote them.
    const fact = () => canvas.figure.ends.find((each) => each[2] === factId())?.slice(3).map(lamplight.plainText);
    const does = {
      open: () => send({ action: mark.action, id: mark.id }),
      ask: () => send({ action: "ask-about", id: mark.id }),
      expand: () => send({ action: "expand", id: mark.id }),
      add: () => canvas.drawFact(mark, null, mark.x, mark.y + 16),
      rename: () => name("rename", "Name", mark.full ?? ""),
      change: () => name("change", "Value", fact()?.[1] ?? ""),
      relation: () => name("relation", "Relation", fact()?.[0] ?? ""),
      remove: () => send({ action: "delete", id: factId() }),
      verify: () => location.assign(`verify?fact=${encodeURIComponent(factId())}`),
      restore: () => send({ action: "restore", id: factId() }),
    };

    function name(action, label, value) {
      box.dataset.does = action;
      box.querySelector("label span").textContent = label;
      box.querySelector("button").textContent =
        action === "rename" ? "Rename and rewrite" : "Save and rewrite";
      const input = box.querySelector("input");
      input.value = value;
      inside(box, mark.x - 40, mark.y + 12);
      input.focus({ preventScroll: true });
      input.select();
    }
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = box.querySelector("input").value;
      const action = box.dataset.does;
      const field = { rename: "name", change: "value", relation: "relation" }[action];
      send({ action, id: action === "rename" ? mark.id : factId(), fields: { [field]: text } });
      close(true);
    });

    menu.addEventListener("click", (event) => {
      const item = event.target.closest("[role=menuitem]");
      if (!item) return;
      close(!["add", "rename", "change", "relation"].includes(item.dataset.does));
      does[item.dataset.does]();
    });
    menu.addEventListener("keydown", (event) => {
      const list = items();
      const at = list.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
      if (to !== undefined) list[(to + list.length) % list.length].focus();
      else if (event.key === "Escape" || event.key === "Tab") close(true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close(true);
    });
    for (const each of [menu, box])
      each.addEventListener("focusout", (event) => {
        if (!each.contains(event.relatedTarget)) each.hidden = true;
      });

    host.addEventListener("contextmenu", (event) => {
      const hit = canvas.hit(...canvas.at(event));
      if (!hit) return;
      event.preventDefault();
      canvas.cancelGesture();
      canvas.openMenu(hit.mark);
    });

    // A finger held still opens the menu; ten pixels of movement are a scroll.
    let holding = 0;
    canvas.hold = (hit) => {
      clearTimeout(holding);
      if (!hit) return;
      holding = setTimeout(() => {
        canvas.cancelGesture();
        canvas.openMenu(hit.mark);
      }, HELD);
    };
    canvas.letGo = () => clearTimeout(holding);

    // -- a fact without dragging: choose *Add a fact*, then the other end

    const hint = frame.querySelector("[data-arm-hint]");
    canvas.arm = (from) => {
      canvas.armed = from;
      hint.hidden = !from;
      frame.classList.toggle("armed", Boolean(from));
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-page=draw-fact]");
      const from = button && canvas.nodeOf(button.dataset.node);
      if (!button) return;
      if (!host.clientWidth) { // the table is shown: the card's form does the same
        document.querySelector("#more").open = true;
        return void document.querySelector("#add-relation").focus();
      }
      if (!from) return void canvas.drawFact({ id: button.dataset.node }, null, frame.clientWidth / 2, 40);
      canvas.arm(from);
      frame.scrollIntoView({ block: "nearest" });
      host.focus({ preventScroll: true });
    });

    const press = canvas.onPress;
    canvas.onPress = (event) => {
      close();
      press?.(event);
    };
  };
})();

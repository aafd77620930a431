// The graph by keyboard: one tab stop, the arrow keys walk from node to node, Enter opens, the menu key
// has the rest. Keys act only while the graph itself has the focus.
(() => {
  const lamplight = (window.lamplight ??= {});
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  lamplight.graphKeys = (canvas) => {
    const { host, send, overlay } = canvas;
    const region = host.parentElement?.querySelector("[data-announce]");
    const announce = (words) => region && (region.textContent = words);
    let byKey = false; // whether the focus came by the keyboard

    const edgesOf = (id) => (canvas.figure?.ends ?? []).filter(([a, b]) => a === id || b === id);
    const sentence = (fact) => canvas.marks.edges.find((edge) => edge.id === fact)?.name;

    function focusOn(node, by) {
      overlay.focus = node;
      window.Plotly.Fx?.unhover?.(host);
      canvas.refresh();
      if (!node) return;
      const { w, h } = canvas.view.frame;
      const out = (value, most) => (value < 20 ? 20 - value : value > most - 20 ? most - 20 - value : 0);
      const [dx, dy] = [out(node.x, w), out(node.y, h)];
      if (dx || dy) canvas.view.pan(dx, dy); // the person walks out of view, and the view follows
      const facts = edgesOf(node.id).length;
      announce([node.name, by && sentence(by), `${facts} fact${facts === 1 ? "" : "s"} shown`]
        .filter(Boolean).join(". "));
    }

    function first() {
      const nodes = canvas.marks?.nodes ?? [];
      return nodes.find((node) => node.selected) ?? [...nodes].sort((a, b) => b.r - a.r)[0] ?? null;
    }

    // The nearest node in a direction: of the neighbours, else of all.
    function next(from, [dx, dy]) {
      const neighbours = new Map(edgesOf(from.id).map(([a, b, fact]) => [a === from.id ? b : a, fact]));
      let best = null;
      for (const node of canvas.marks.nodes) {
        if (node.id === from.id) continue;
        const [ax, ay] = [node.x - from.x, node.y - from.y];
        const along = ax * dx + ay * dy;
        const across = Math.abs(ax * dy - ay * dx);
        if (along <= 0 || across > 1.8 * along) continue;
        const cost = along + 1.5 * across + (neighbours.has(node.id) ? 0 : 10_000);
        if (!best || cost < best.cost) best = { cost, node, by: neighbours.get(node.id) };
      }
      return best;
    }

    host.addEventListener("focus", () => {
      byKey = host.matches(":focus-visible");
      if (byKey && !overlay.focus) focusOn(first());
    });
    host.addEventListener("blur", () => {
      overlay.focus = null;
      canvas.refresh();
    });

    host.addEventListener("keydown", (event) => {
      if (event.target !== host || !canvas.marks) return;
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const node = overlay.focus ?? canvas.marks.nodes.find((each) => each.selected) ?? null;
      if (command && key === "z") send({ action: event.shiftKey ? "redo" : "undo" });
      else if (command && key === "y") send({ action: "redo" });
      else if (command || event.altKey) return;
      else if (ARROWS[key]) {
        const to = node ? next(node, ARROWS[key]) : { node: first() };
        if (to) focusOn(to.node, to.by);
      } else if (key === "Enter" || key === " ") {
        if (!node) return;
        if (canvas.armed) canvas.click({ kind: "node", mark: node });
        else send({ action: node.action, id: node.id });
      } else if (key === "ContextMenu" || (key === "F10" && event.shiftKey)) {
        if (node) canvas.openMenu?.(node);
      } else if (key === "+" || key === "=") canvas.view.zoom(1.3);
      else if (key === "-") canvas.view.zoom(1 / 1.3);
      else if (key === "0") canvas.view.fit();
      else if (key === "Escape" && canvas.armed) canvas.arm(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  };
})();

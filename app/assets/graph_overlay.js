// What is drawn over the graph while a person works in it: the ring around a node, the line of a
// fact that is being drawn, a node on its way. It only draws: no event ever reaches it.
(() => {
  const lamplight = (window.lamplight ??= {});
  const SVG = "http://www.w3.org/2000/svg";
  const RING = 9; // pixels from a node's edge to its ring

  lamplight.graphOverlay = (canvas) => {
    const svg = canvas.host.parentElement?.querySelector("[data-overlay]");
    const overlay = {
      rings: [], // nodes that have a ring
      line: null, // {from, x, y, target}: a fact that is being drawn
      ghost: null, // {node, x, y}: a node that is being moved
      focus: null, // the node that has the focus
    };
    overlay.radius = (node) => Math.max(node.r, 8) + RING;

    const element = (name, attributes) => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const circle = (node, r, kind) => element("circle", { cx: node.x, cy: node.y, r, class: kind });

    function ring(node) {
      const r = overlay.radius(node);
      const [x, y] = [node.x + r * Math.SQRT1_2, node.y - r * Math.SQRT1_2];
      return [
        circle(node, r, "ring"),
        element("circle", { cx: x, cy: y, r: 7, class: "ring-plus" }),
        element("path", { d: `M${x - 3.5} ${y}h7M${x} ${y - 3.5}v7`, class: "ring-sign" }),
      ];
    }

    overlay.draw = () => {
      if (!svg) return;
      const shapes = overlay.rings.flatMap(ring);
      const { line, ghost, focus } = overlay;
      if (focus) {
        const name = element("text", { x: focus.x, y: focus.y - overlay.radius(focus) - 10, class: "focus-name" });
        name.textContent = focus.name;
        shapes.push(circle(focus, Math.max(focus.r, 8) + 4, "focus"), name);
      }
      if (line) {
        const end = line.target ?? line;
        shapes.push(
          element("line", { x1: line.from.x, y1: line.from.y, x2: end.x, y2: end.y, class: "drawn" }),
          circle(line.from, Math.max(line.from.r, 8) + 4, "drawn"),
        );
        if (line.target) shapes.push(circle(line.target, Math.max(line.target.r, 8) + 6, "target"));
        else shapes.push(circle(line, 6, "drawn"));
      }
      if (ghost) {
        for (const other of ghost.neighbours)
          shapes.push(element("line", { x1: ghost.x, y1: ghost.y, x2: other.x, y2: other.y, class: "moving" }));
        shapes.push(circle(ghost, Math.max(ghost.node.r, 6), "moving"));
      }
      svg.replaceChildren(...shapes);
    };
    return overlay;
  };
})();

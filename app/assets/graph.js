// Draws the figure that Python made, on one element that is never re-created.
//
// What only the browser knows is done here: what of the figure is in view (graph_view.js), the size
// of the panel (so where labels have room and how an arrow is turned) and the colours of the theme
// ("var(--mark)" in the figure). What a person does in the picture is read in graph_gestures.js.
(() => {
  const lamplight = (window.lamplight ??= {});
  const pen = document.createElement("canvas").getContext("2d");
  const FONT = '"Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif';

  const plain = (text) => text.replace(/<\/?s>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  lamplight.plainText = plain;

  function coloured(value, style) {
    if (typeof value === "string" && value.startsWith("var(--"))
      return style.getPropertyValue(value.slice(4, -1)).trim();
    if (Array.isArray(value)) return value.map((item) => coloured(item, style));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
    return value;
  }

  const overlap = (a, b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;

  // Where each label has room: next to its node, first on the side away from the middle.
  function placeLabels(labels, obstacles, pixel, frame) {
    const taken = [...obstacles];
    const placed = [];
    for (const label of labels) {
      const size = label.strong ? 13 : 12;
      pen.font = `${label.strong ? 600 : 400} ${size}px ${FONT}`;
      const [x, y] = pixel(label.x, label.y);
      const height = size + 4;
      const gap = label.radius + 3;
      const sides = {
        right: [gap, -height / 2, 0], left: [-gap, -height / 2, 1],
        above: [0, -gap - height, 0.5], below: [0, gap, 0.5],
      };
      const across = label.dx >= 0 ? ["right", "left"] : ["left", "right"];
      const along = label.dy >= 0 ? ["above", "below"] : ["below", "above"];
      const order = Math.abs(label.dx) > 0.35 * Math.abs(label.dy)
        ? [across[0], along[0], along[1], across[1]]
        : [along[0], across[0], across[1], along[1]];
      if (label.of_edge) {  // on either side of its line, never on it
        const flat = Math.abs(label.dx) * frame.w < Math.abs(label.dy) * frame.h;
        order.splice(0, 4, ...(flat ? along : across));
      }
      const lengths = [label.text, ...(label.short ? [label.short] : [])];
      search: for (const text of lengths) {
        const width = pen.measureText(plain(text)).width + 4;
        for (const side of order) {
          const [dx, dy, share] = sides[side];
          const box = { x0: x + dx - share * width, y0: y + dy };
          box.x1 = box.x0 + width;
          box.y1 = box.y0 + height;
          const inside = box.x0 >= 0 && box.x1 <= frame.w && box.y0 >= 0 && box.y1 <= frame.h;
          if (!inside || taken.some((other) => overlap(box, other))) continue;
          taken.push(box);
          placed.push({
            x: label.x, y: label.y, text, name: label.node, action: label.action, showarrow: false, width, height,
            xanchor: ["left", "center", "right"][share * 2], yanchor: "middle",
            xshift: dx, yshift: -(dy + height / 2),
            font: { size, color: label.color, family: FONT, weight: label.strong ? 600 : 400 },
            bgcolor: label.back, borderpad: 1, opacity: 0.95,
          });
          break search;
        }
      }
    }
    return placed;
  }

  // The figure as Plotly takes it, and where in pixels everything stands that can be pointed at.
  function drawn(figure, view, frame) {
    const style = getComputedStyle(document.body);
    const { data, layout } = coloured(figure, style);
    const pixel = (x, y) => view.pixel(x, y);
    Object.assign(layout.xaxis, { range: view.across(), autorange: false });
    Object.assign(layout.yaxis, { range: view.along(), autorange: false });
    layout.dragmode = false;
    layout.width = frame.w;
    layout.height = frame.h;
    const marks = { nodes: [], edges: [], paths: [], labels: [] };
    const obstacles = [];
    for (const trace of data) {
      if (trace.meta === "arrows")
        trace.marker.angle = trace.meta_direction.map(([dx, dy]) =>
          (Math.atan2(dx * view.sx, dy * view.sy) * 180) / Math.PI);
      if (!["nodes", "badges", "dots", "paths"].includes(trace.meta)) continue;
      trace.x.forEach((x, i) => {
        const [px, py] = pixel(x, trace.y[i]);
        const r = (trace.marker.size[i] ?? trace.marker.size) / 2;
        const [action, id] = trace.customdata[i];
        const mark = { action, id, x: px, y: py, r, name: plain(trace.hovertext?.[i] ?? "") };
        if (trace.meta === "nodes")
          Object.assign(mark, { full: plain(trace.meta_names[i]), selected: trace.meta_selected[i] });
        const kind = { nodes: "nodes", paths: "paths" }[trace.meta] ?? "edges";
        marks[kind].push(mark);
        if (kind !== "paths") obstacles.push({ x0: px - r, x1: px + r, y0: py - r, y1: py + r });
      });
    }
    const labels = coloured(figure.labels, style);
    layout.annotations = placeLabels(labels, obstacles, pixel, frame);
    for (const { x, y, xshift, yshift, xanchor, name, action, width, height } of layout.annotations) {
      const [px, py] = pixel(x, y);
      const left = px + xshift - { left: 0, center: 0.5, right: 1 }[xanchor] * width;
      const top = py - yshift - height / 2;
      marks.labels.push({ action, id: name, x0: left, x1: left + width, y0: top, y1: top + height });
    }
    for (const label of layout.annotations) // or Plotly would cut the words to that size
      for (const own of ["width", "height", "action"]) delete label[own];
    return { data, layout, marks };
  }

  lamplight.graph = (element, props, watch, send) => {
    const host = element.querySelector("[data-host]");
    // What the parts of the picture share: the figure, the view, what can be pointed at.
    const canvas = {
      element, host, send, figure: null, view: null, marks: null,
      busy: false, // a gesture is going on: figures that arrive wait for its end
      onDrawn: [],
    };
    const config = { displayModeBar: false, scrollZoom: false, doubleClick: false, responsive: false };
    let shown; // the value that `figure` was read from
    canvas.late = () => shown !== props.value;
    canvas.draw = () => {
      if (!canvas.busy && canvas.late()) {
        shown = props.value;
        canvas.figure = shown ? JSON.parse(shown) : null;
      }
      const { figure } = canvas;
      const frame = { w: host.clientWidth, h: host.clientHeight };
      if (!figure || !frame.w || !window.Plotly) return;
      canvas.view ??= lamplight.graphView(canvas);
      canvas.view.follow(figure, frame);
      const { data, layout, marks } = drawn(figure, canvas.view, frame);
      canvas.marks = marks;
      window.Plotly.react(host, data, layout, config);
      host.firstElementChild?.setAttribute("aria-hidden", "true"); // its texts, apart from their places
      for (const each of canvas.onDrawn) each();
    };
    let waiting = false;
    canvas.drawSoon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => ((waiting = false), canvas.draw()));
    };
    lamplight.graphGestures?.(canvas);
    lamplight.redraw(host, watch, canvas.draw);
  };

  // A figure's "var(--mark)" as the theme has it now.
  lamplight.coloured = (figure) => coloured(figure, getComputedStyle(document.body));

  // Draws at once, and again when the value, the size of the host or the theme changes.
  lamplight.redraw = (host, watch, draw) => {
    let last = "";
    new ResizeObserver(() => {
      const size = `${host.clientWidth}x${host.clientHeight}`;
      if (size !== last) requestAnimationFrame(draw);
      last = size;
    }).observe(host);
    new MutationObserver(draw).observe(document.body, { attributeFilter: ["class"] });
    let waiting = false; // for the next frame: the words that came with the figure are shown before
    watch("value", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw();
      });
    });
    draw();
  };
})();

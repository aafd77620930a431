// Draws the figure that Python made, on one element that is never re-created, and reports clicks.
//
// What only the browser knows is done here: the size of the panel (so where labels have room and
// how an arrow is turned) and the colours of the theme ("var(--mark)" in the figure).
(() => {
  const lamplight = (window.lamplight ??= {});
  const coarse = matchMedia("(pointer: coarse)").matches;
  const pen = document.createElement("canvas").getContext("2d");
  const FONT = '"Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif';

  const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

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
            x: label.x, y: label.y, text, name: label.node, showarrow: false, captureevents: true,
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

  function fitted(figure, element) {
    const style = getComputedStyle(document.body);
    const { data, layout } = coloured(figure, style);
    const frame = { w: element.clientWidth, h: element.clientHeight };
    const [x0, x1, y0, y1] = figure.extent;
    const side = Math.min(64, frame.w * 0.12);
    const top = 30;
    const scaleX = (frame.w - 2 * side) / (x1 - x0);
    const scaleY = (frame.h - 2 * top) / (y1 - y0);
    const pixel = (x, y) => [side + (x - x0) * scaleX, frame.h - top - (y - y0) * scaleY];
    layout.xaxis.range = [x0 - side / scaleX, x1 + side / scaleX];
    layout.yaxis.range = [y0 - top / scaleY, y1 + top / scaleY];
    layout.dragmode = coarse ? false : "pan";
    layout.width = frame.w;
    layout.height = frame.h;
    const obstacles = [];
    for (const trace of data) {
      if (trace.meta === "arrows")
        trace.marker.angle = trace.meta_direction.map(([dx, dy]) =>
          (Math.atan2(dx * scaleX, dy * scaleY) * 180) / Math.PI);
      if (!["nodes", "badges", "dots"].includes(trace.meta)) continue;
      trace.x.forEach((x, i) => {
        const [px, py] = pixel(x, trace.y[i]);
        const r = (trace.marker.size[i] ?? trace.marker.size) / 2;
        obstacles.push({ x0: px - r, x1: px + r, y0: py - r, y1: py + r });
      });
    }
    const labels = coloured(figure.labels, style);
    layout.annotations = placeLabels(labels, obstacles, pixel, frame);
    return { data, layout };
  }

  lamplight.graph = (element, props, watch, send) => {
    const host = element.querySelector("[data-host]");
    let listening = false;
    const draw = () => {
      const figure = props.value ? JSON.parse(props.value) : null;
      if (!figure || !host.clientWidth || !window.Plotly) return;
      const { data, layout } = fitted(figure, host);
      const config = { displayModeBar: false, scrollZoom: false, responsive: false };
      window.Plotly.react(host, data, layout, config);
      if (listening) return;
      listening = true;
      host.on("plotly_click", (event) => {
        const point = event.points.find((each) => each.customdata) ?? {};
        if (point.customdata) send({ action: point.customdata[0], id: point.customdata[1] });
      });
      host.on("plotly_clickannotation", (event) => {
        const id = event.annotation.name;  // a node's key, "e12", or the id of an edge's fact
        if (id) send({ action: /^\d+$/.test(id) ? "fact" : "node", id });
      });
      host.on("plotly_hover", () => (host.style.cursor = "pointer"));
      host.on("plotly_unhover", () => (host.style.cursor = ""));
    };
    lamplight.redraw(host, watch, draw);
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

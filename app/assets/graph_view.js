// What of the graph is in view: a centre and a scale, which belong to the person.
//
// A new question is fitted into the picture while its text is first written. From then on, and from
// the first moment that the person moves the view, nothing but *Fit* changes it: no edit and no word.
(() => {
  const lamplight = (window.lamplight ??= {});
  const FARTHEST = 0.25; // of the scale that shows everything
  const NEAREST = 12;
  const FAR = 1000; // the greatest coordinate that the server takes
  const STEP = 1.3; // by which a button zooms
  const KEPT = "lamplight-graph-view";
  const MARGIN = { x: 44, y: 28 }; // pixels at the edges where nothing new is placed

  // The view survives a reload. It is the browser's: the server keeps only where the nodes stand.
  function kept(question) {
    try {
      const view = JSON.parse(sessionStorage.getItem(KEPT));
      return view?.question === question && [view.x, view.y, view.sx, view.sy].every(isFinite)
        ? view : null;
    } catch {
      return null;
    }
  }
  function keep({ question, x, y, sx, sy }) {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ question, x, y, sx, sy }));
    } catch {
      // a browser that keeps nothing: the next load fits
    }
  }

  lamplight.graphView = (canvas) => {
    const { host } = canvas;
    const view = {
      x: 0, y: 0, // the centre, in the figure's own units
      sx: 1, sy: 1, // pixels for one unit
      question: null,
      touched: false, // the person has moved it
      settled: false, // the question's first text is complete
      frame: { w: 0, h: 0 },
    };
    view.pixel = (x, y) => [
      view.frame.w / 2 + (x - view.x) * view.sx, view.frame.h / 2 - (y - view.y) * view.sy,
    ];
    view.place = (px, py) => [
      view.x + (px - view.frame.w / 2) / view.sx, view.y - (py - view.frame.h / 2) / view.sy,
    ];
    // Where a node may be put that is dropped at a pixel.
    view.drop = (px, py) =>
      view.place(px, py).map((each) => Math.max(-FAR, Math.min(each, FAR)));
    const range = (middle, size, scale) => [middle - size / 2 / scale, middle + size / 2 / scale];
    view.across = () => range(view.x, view.frame.w, view.sx);
    view.along = () => range(view.y, view.frame.h, view.sy);

    // The centre and the scale at which everything is in view.
    function whole() {
      const { w, h } = view.frame;
      const [x0, x1, y0, y1] = canvas.figure.extent;
      const side = Math.min(64, w * 0.12);
      const top = 30;
      return {
        x: (x0 + x1) / 2, y: (y0 + y1) / 2,
        sx: (w - 2 * side) / (x1 - x0), sy: (h - 2 * top) / (y1 - y0),
      };
    }

    // Before each drawing: a new question is fitted, and everything else leaves the view alone.
    view.follow = (figure, frame) => {
      const resized = frame.w !== view.frame.w || frame.h !== view.frame.h;
      view.frame = frame;
      if (figure.question !== view.question) {
        const before = kept(figure.question);
        Object.assign(view, { touched: Boolean(before), settled: false, ...before });
        view.question = figure.question;
      }
      if (!view.touched && (!view.settled || resized)) Object.assign(view, whole());
      if (!figure.growing && figure.data.length) view.settled = true;
    };

    function moved() {
      view.touched = true;
      keep(view);
      canvas.drawSoon();
    }
    view.pan = (dx, dy) => {
      view.x -= dx / view.sx;
      view.y += dy / view.sy;
      moved();
    };
    // Zooms so that what is under the pixel (px, py) stays there.
    view.zoom = (factor, px = view.frame.w / 2, py = view.frame.h / 2) => {
      const all = whole();
      const by = Math.min(Math.max(factor, FARTHEST * all.sx / view.sx), NEAREST * all.sx / view.sx);
      const [x, y] = view.place(px, py);
      view.sx *= by;
      view.sy *= by;
      view.x = x - (px - view.frame.w / 2) / view.sx;
      view.y = y + (py - view.frame.h / 2) / view.sy;
      moved();
    };
    view.fit = () => {
      Object.assign(view, whole(), { touched: false, settled: true });
      keep({ ...view, question: null });
      canvas.drawSoon();
    };

    // Sent with each action, so that what it adds is placed in view.
    lamplight.graphInView = () => {
      const { w, h } = view.frame;
      if (!canvas.figure?.data.length || w <= 3 * MARGIN.x || h <= 3 * MARGIN.y) return null;
      const [x0, y1] = view.place(MARGIN.x, MARGIN.y);
      const [x1, y0] = view.place(w - MARGIN.x, h - MARGIN.y);
      const inView = [x0, x1, y0, y1].map((each) => Math.round(each * 1e4) / 1e4);
      return inView.every((each) => Math.abs(each) <= FAR) ? inView : null;
    };

    // -- buttons, the wheel, full screen

    const frame = host.closest(".graph-frame");
    const hint = frame?.querySelector("[data-hint]");
    const act = {
      in: () => view.zoom(STEP), out: () => view.zoom(1 / STEP), fit: view.fit,
      full: () =>
        document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen(),
    };
    for (const button of frame?.querySelectorAll("[data-view-action]") ?? []) {
      const name = button.dataset.viewAction;
      if (name === "full" && !document.fullscreenEnabled) button.hidden = true;
      button.addEventListener("click", () => canvas.figure && act[name]());
    }
    document.addEventListener("fullscreenchange", () => {
      const button = frame?.querySelector("[data-view-action=full]");
      button?.setAttribute("aria-pressed", String(document.fullscreenElement === frame));
    });

    let hiding = 0;
    host.addEventListener("wheel", (event) => {
      if (!canvas.figure) return;
      if (!event.ctrlKey && !event.metaKey) { // the page scrolls
        if (!hint) return;
        hint.hidden = false;
        clearTimeout(hiding);
        hiding = setTimeout(() => (hint.hidden = true), 2500);
        return;
      }
      event.preventDefault(); // or the browser zooms the page; a pinch on a touchpad comes as this, too
      event.stopPropagation();
      if (hint) hint.hidden = true;
      const box = host.getBoundingClientRect();
      const turned = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      const factor = Math.exp(-Math.min(Math.max(turned, -60), 60) / 200);
      view.zoom(factor, event.clientX - box.left, event.clientY - box.top);
    }, { capture: true, passive: false });
    return view;
  };
})();

// What a person does in the picture with a mouse, a pen or fingers.
//
// Plotly covers the page on mousedown and takes what follows, so it gets no mousedown at all: a
// pointer that goes down is read here first, with a hit test over what was drawn. Plotly keeps what
// it is good at, the words on hover. Until a gesture ends, figures that arrive wait, and only the
// overlay is drawn; the server is sent one action at its end.
(() => {
  const lamplight = (window.lamplight ??= {});
  const CLICK = 5; // pixels of movement that are still a click
  const REACH = 12; // pixels from the middle of a node or a badge at which it is still hit
  const ALONG = 6; // pixels from a line
  const LATE = 1500; // milliseconds after which a node that was moved is given up

  const away = (mark, x, y) => Math.hypot(mark.x - x, mark.y - y);
  const inBox = (box, x, y) => x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;

  // The nearest of some marks, if it is near enough.
  function nearest(marks, x, y, reach) {
    let best = null;
    let least = Infinity;
    for (const mark of marks) {
      const distance = away(mark, x, y);
      if (distance <= reach(mark) && distance - mark.r < least) {
        best = mark;
        least = distance - mark.r;
      }
    }
    return best;
  }

  lamplight.graphGestures = (canvas) => {
    const { host, send } = canvas;
    const overlay = (canvas.overlay = lamplight.graphOverlay(canvas));
    const isEntity = (mark) => mark.action === "node" && mark.id.startsWith("e"); // else a literal
    let hovered = null; // the id of the node under the pointer

    canvas.nodeOf = (id) => canvas.marks?.nodes.find((node) => node.id === id) ?? null;
    canvas.at = (event) => {
      const box = host.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };

    // What is at a pixel: {kind: "node" | "fact" | "ring", mark}, or null.
    canvas.hit = (x, y) => {
      if (!canvas.marks) return null;
      const { nodes, edges, paths, labels } = canvas.marks;
      const node = nearest(nodes, x, y, (mark) => Math.max(mark.r, REACH));
      const badge = nearest(edges, x, y, (mark) => Math.max(mark.r, REACH));
      if (node && badge) // of two that are close, the nearer
        return away(badge, x, y) < away(node, x, y) ? { kind: "fact", mark: badge } : { kind: "node", mark: node };
      if (node) return { kind: "node", mark: node };
      if (badge) return { kind: "fact", mark: badge };
      const ringed = nearest(overlay.rings, x, y, (mark) => overlay.radius(mark) + REACH);
      if (ringed) return { kind: "ring", mark: ringed };
      const label = labels.find((each) => inBox(each, x, y));
      if (label) {
        const mark = canvas.nodeOf(label.id) ?? label;
        return { kind: label.action === "node" ? "node" : "fact", mark };
      }
      const path = nearest(paths, x, y, () => ALONG + 4);
      return path ? { kind: "fact", mark: path } : null;
    };

    // The nodes that show a ring: under the pointer, selected, and with the focus.
    function ringed() {
      const chosen = (canvas.figure?.data ?? []).find((trace) => trace.meta === "nodes");
      const ids = new Set([hovered, overlay.focus?.id]);
      chosen?.meta_selected.forEach((selected, i) => selected && ids.add(chosen.customdata[i][1]));
      overlay.rings = [...ids].map(canvas.nodeOf).filter((node) => node && isEntity(node));
    }
    canvas.refresh = () => {
      ringed();
      overlay.draw();
    };
    canvas.onDrawn.push(() => {
      const ghost = overlay.ghost;
      if (ghost?.dropped) {
        const node = canvas.nodeOf(ghost.node.id);
        if (!node || away(node, ghost.x, ghost.y) < 2) overlay.ghost = null;
      }
      if (overlay.focus) overlay.focus = canvas.nodeOf(overlay.focus.id);
      canvas.refresh();
    });

    // -- one gesture

    let press = null; // {pointer, x, y, hit, gesture}
    const touches = new Map(); // fingers by their pointer
    let pinch = null;

    const gestures = {
      pan: {
        move: (x, y) => {
          canvas.view.pan(x - press.lastX, y - press.lastY);
        },
        end: () => {},
      },
      move: {
        move: (x, y) => {
          overlay.ghost = { node: press.hit.mark, x, y, neighbours: neighbours(press.hit.mark.id) };
          overlay.draw();
        },
        end: (x, y) => {
          const id = press.hit.mark.id;
          const ghost = overlay.ghost;
          ghost.dropped = true;
          setTimeout(() => {
            if (overlay.ghost !== ghost) return;
            overlay.ghost = null;
            overlay.draw();
          }, LATE);
          send({ action: "move", id, at: canvas.view.drop(x, y) });
        },
      },
      draw: {
        move: (x, y) => {
          const from = press.hit.mark;
          const over = canvas.hit(x, y);
          const target = over?.kind === "node" && over.mark.id !== from.id ? over.mark : null;
          overlay.line = { from, x, y, target, r: 0 };
          overlay.draw();
        },
        end: (x, y) => {
          const { from, target } = overlay.line;
          overlay.line = null;
          overlay.draw();
          if (!target && away(from, x, y) <= overlay.radius(from)) return; // back where it began
          canvas.drawFact?.(from, target, x, y);
        },
      },
    };

    function neighbours(id) {
      const ends = canvas.figure.ends ?? [];
      const others = ends.flatMap(([a, b]) => (a === id ? [b] : b === id ? [a] : []));
      return others.map(canvas.nodeOf).filter(Boolean);
    }

    function begin(event) {
      const [x, y] = canvas.at(event);
      press = { pointer: event.pointerId, x, y, lastX: x, lastY: y, hit: canvas.hit(x, y), gesture: null };
    }
    function cancel() {
      const was = press?.gesture;
      press = null;
      overlay.line = null;
      if (!overlay.ghost?.dropped) overlay.ghost = null;
      release();
      overlay.draw();
      return Boolean(was);
    }
    function release() {
      canvas.busy = false;
      host.classList.remove("busy");
      if (canvas.late()) canvas.drawSoon(); // what arrived during the gesture
    }
    canvas.cancelGesture = cancel;

    host.addEventListener("pointerdown", (event) => {
      if (!canvas.marks) return;
      event.stopPropagation();
      if (event.button > 0) return;
      event.preventDefault();
      canvas.onPress?.(event);
      if (event.pointerType === "touch") {
        touches.set(event.pointerId, canvas.at(event));
        if (touches.size === 2) {
          press = null;
          pinch = true;
          canvas.letGo?.();
          return;
        }
        if (touches.size > 1) return;
        begin(event);
        canvas.hold?.(press.hit);
        return;
      }
      host.setPointerCapture(event.pointerId);
      host.focus({ preventScroll: true, focusVisible: false });
      begin(event);
    }, true);

    host.addEventListener("pointermove", (event) => {
      if (!canvas.marks) return;
      const [x, y] = canvas.at(event);
      if (event.pointerType === "touch") return moveFinger(event, x, y);
      if (!press || press.pointer !== event.pointerId) return hover(x, y);
      event.stopPropagation();
      if (!press.gesture) {
        if (Math.hypot(x - press.x, y - press.y) < CLICK) return;
        const kind = press.hit?.kind;
        const movable = kind === "node" && press.hit.mark.action === "node";
        press.gesture = gestures[movable ? "move" : kind === "ring" ? "draw" : "pan"];
        canvas.busy = true;
        host.classList.add("busy");
        window.Plotly.Fx?.unhover?.(host);
      }
      press.gesture.move(x, y);
      press.lastX = x;
      press.lastY = y;
    }, true);

    host.addEventListener("pointerup", (event) => {
      canvas.letGo?.();
      touches.delete(event.pointerId);
      if (!touches.size) pinch = null;
      if (!press || press.pointer !== event.pointerId) return;
      event.stopPropagation();
      const [x, y] = canvas.at(event);
      const { gesture, hit } = press;
      if (gesture) gesture.end(x, y);
      press = null;
      release();
      if (!gesture) canvas.click?.(hit, event);
    }, true);

    host.addEventListener("pointercancel", (event) => { // the page scrolls under a finger
      canvas.letGo?.();
      touches.delete(event.pointerId);
      if (!touches.size) pinch = null;
      if (press?.pointer === event.pointerId) cancel();
    }, true);
    host.addEventListener("pointerleave", () => {
      if (press) return;
      hovered = null;
      canvas.refresh();
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && press?.gesture && cancel()) event.stopPropagation();
    }, true);

    function hover(x, y) {
      const hit = canvas.hit(x, y);
      host.style.cursor = hit ? (hit.kind === "ring" ? "crosshair" : "pointer") : "grab";
      const id = hit?.kind === "node" || hit?.kind === "ring" ? hit.mark.id : null;
      if (id === hovered) return;
      hovered = id;
      canvas.refresh();
    }

    // One finger scrolls the page; two move the picture and zoom it.
    function moveFinger(event, x, y) {
      const before = touches.get(event.pointerId);
      if (!before) return;
      if (pinch && touches.size === 2) {
        const other = [...touches].find(([id]) => id !== event.pointerId)[1];
        const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
        const is = Math.hypot(x - other[0], y - other[1]);
        canvas.view.pan((x - before[0]) / 2, (y - before[1]) / 2);
        if (was > 8 && is > 8) canvas.view.zoom(is / was, (x + other[0]) / 2, (y + other[1]) / 2);
      } else if (press && Math.hypot(x - press.x, y - press.y) >= 10) {
        press = null; // neither a tap nor a long press
        canvas.letGo?.();
      }
      touches.set(event.pointerId, [x, y]);
    }
    for (const name of ["touchstart", "touchmove"])
      host.addEventListener(name, (event) => {
        event.stopPropagation();
        if (event.touches.length > 1 && event.cancelable) event.preventDefault();
      }, { capture: true, passive: false });

    canvas.click = (hit, event) => {
      const from = canvas.armed;
      if (from) { // the other end of a fact that is added without dragging
        const target = hit?.kind === "node" && hit.mark.id !== from.id ? hit.mark : null;
        const [x, y] = event ? canvas.at(event) : [target?.x ?? from.x, target?.y ?? from.y];
        canvas.arm(null);
        if (hit?.mark.id !== from.id) canvas.drawFact(from, target, x, y);
        return;
      }
      if (hit) send({ action: hit.mark.action, id: hit.mark.id });
    };
    lamplight.graphPicker?.(canvas);
    lamplight.graphMenu?.(canvas);
    lamplight.graphKeys?.(canvas);
  };
})();

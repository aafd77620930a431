// The channel between page and server: what a person does goes out by POST, what the page shows comes
// in as server-sent events. Both outlive a lost connection, a restart of the server and a sleep.
//
// An action has an id, and is sent again under it until the server has answered: it is done once. An
// event has an id too; after a break the server is given the last one and goes on from there.
(() => {
  const lamplight = (window.lamplight ??= {});
  const SILENT = 25_000; // milliseconds without a word, after which the connection is taken for dead
  const PATIENT = 1_000; // milliseconds that a break may last before the page speaks of it
  const HIDDEN = 20_000; // milliseconds out of sight after which a page at rest closes its stream
  const LATEST = 5_000; // milliseconds between two tries, at most
  const LOST = "The connection to the server is lost. What you do is kept, and sent when it is back.";

  const randomId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0"))
      .join("");

  // The page keeps its id through a reload. The id gives no access: the cookie does.
  function pageId() {
    try {
      const known = sessionStorage.getItem("lamplight-page");
      if (known) return known;
      const made = randomId();
      sessionStorage.setItem("lamplight-page", made);
      return made;
    } catch {
      return randomId();
    }
  }
  const page = pageId();

  // -- what the page says of the connection

  let line = null; // the element that says it
  let refusal = "";
  let brokenAt = 0; // when the connection was lost; 0 while it is not
  function speak() {
    if (!line) return;
    const late = brokenAt && (Date.now() - brokenAt >= PATIENT || !navigator.onLine);
    const words = late ? LOST : refusal;
    if (line.textContent !== words) line.textContent = words;
  }
  function broken() {
    brokenAt ||= Date.now();
    setTimeout(speak, PATIENT + 50);
    speak();
  }
  function mended() {
    brokenAt = 0;
    speak();
  }

  // -- events

  let source = null;
  let last = ""; // the id of the last event
  let heard = 0; // when the server was last heard
  let tries = 0;
  let again = 0; // the timer of the next try
  let hiding = 0; // the timer that closes the stream of a page out of sight
  const delay = (count) => Math.min(LATEST, 250 * 2 ** count) * (0.75 + Math.random() / 2);

  function close() {
    clearTimeout(again);
    again = 0;
    source?.close();
    source = null;
  }

  function open() {
    close();
    const address = `api/events?${new URLSearchParams({ page, ...(last && { last }) })}`;
    const stream = (source = new EventSource(address));
    heard = Date.now();
    for (const kind of ["page", "parts", "alive"])
      stream.addEventListener(kind, (event) => {
        if (stream !== source) return;
        heard = Date.now();
        tries = 0;
        mended();
        if (event.lastEventId) last = event.lastEventId;
        if (kind !== "alive") take(JSON.parse(event.data));
      });
    stream.onerror = () => {
      if (stream !== source) return;
      const refused = stream.readyState === EventSource.CLOSED; // the server answered, with an error
      close();
      broken();
      again = setTimeout(open, delay(tries++));
      if (refused) explain(address);
    };
  }

  // An EventSource does not say why it was refused.
  async function explain(address) {
    try {
      const answer = await fetch(address, { signal: AbortSignal.timeout(5_000) });
      if (answer.status < 400 || answer.status >= 500) return void answer.body?.cancel();
      refusal = await why(answer);
      mended();
    } catch {
      // there is no connection, which the page says already
    }
  }

  function take(parts) {
    for (const [name, value] of Object.entries(parts)) lamplight.give(name, value);
  }

  const atRest = () =>
    !unsent.length && document.querySelector("#status-words")?.dataset.writing !== "yes";
  const closed = () => !source && !again;
  setInterval(() => {
    if (source && Date.now() - heard > SILENT) {
      broken();
      open();
    }
  }, 5_000);
  addEventListener("online", () => open());
  addEventListener("offline", () => broken());
  addEventListener("pageshow", (event) => event.persisted && open());
  // A browser opens six connections to one server, and each page in sight needs one.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (!document.hidden) {
      if (closed() || Date.now() - heard > SILENT) open();
      return;
    }
    const leave = () => {
      if (!document.hidden) return;
      if (!atRest()) return void (hiding = setTimeout(leave, HIDDEN));
      close();
    };
    hiding = setTimeout(leave, HIDDEN);
  });

  // -- actions

  const unsent = [];
  let sending = false;
  const TYPED = new Set(["search", "suggest"]); // of which only the newest is worth sending

  lamplight.act = (data) => {
    const view = TYPED.has(data.action) ? null : lamplight.graphInView?.();
    if (view) data = { ...data, view };
    const waiting = unsent.at(-1);
    const replaces =
      unsent.length > 1 && TYPED.has(data.action) && waiting.do.action === data.action;
    if (replaces) waiting.do = data;
    else unsent.push({ id: randomId(), page, do: data });
    send();
  };

  lamplight.ask = (prompt, settings) => {
    const given = Object.entries(settings).filter(([, value]) => value !== null && value !== "");
    lamplight.act({ action: "ask", prompt: prompt ?? "", settings: Object.fromEntries(given) });
  };

  async function send() {
    if (sending) return;
    sending = true;
    let failed = 0;
    while (unsent.length) {
      try {
        const body = JSON.stringify(unsent[0]);
        const answer = await fetch("api/actions", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body,
          keepalive: body.length < 60_000, // also while the page is left
          signal: AbortSignal.timeout(20_000),
        });
        if ([502, 503, 504].includes(answer.status)) throw new Error(answer.statusText);
        refusal = answer.ok ? "" : await why(answer);
        unsent.shift();
        failed = 0;
        if (source) mended();
        else speak();
      } catch {
        broken();
        await new Promise((resolve) => {
          const wait = setTimeout(resolve, delay(failed++));
          addEventListener("online", () => (clearTimeout(wait), resolve()), { once: true });
        });
      }
    }
    sending = false;
  }

  async function why(answer) {
    const text = await answer.text();
    try {
      return JSON.parse(text).error;
    } catch {
      return text || "That did not work, and nothing was changed.";
    }
  }

  // -- the start

  for (const [name, ...given] of lamplight.early ?? []) lamplight[name](...given);
  delete lamplight.early;

  lamplight.wire = (element) => {
    line = element.querySelector("[data-connection]");
    lamplight.watch("prompt", (words) => {
      const box = document.querySelector("#prompt textarea");
      if (!box) return;
      box.value = words;
      box.dispatchEvent(new Event("input", { bubbles: true })); // so that Gradio notices
    });
    open();
  };
})();

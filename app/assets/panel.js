// Draws an escaped HTML string that Python made, and reports what a person does with it.
//
// The host element is never re-created. A new string is merged into it: elements are matched by id,
// so the one that had the focus keeps it, a value that is being typed stays, and nothing flickers.
// What a person does leaves as {action, ...ids}; Python decides what it means.
(() => {
  const lamplight = (window.lamplight ??= {});

  // The parts of the page by the id of their element: {value, watchers}. On *Inspect* the channel
  // gives them their values; on a page without one the value is the component's own.
  const parts = new Map();
  const part = (name) => {
    if (!parts.has(name)) parts.set(name, { given: false, value: undefined, watchers: [] });
    return parts.get(name);
  };
  const once = new Set(["prompt", "download"]); // also given again with the same value
  const set = (it, value, name) => {
    if (it.given && it.value === value && !once.has(name)) return;
    it.value = value;
    for (const watcher of it.watchers) watcher(value);
  };

  lamplight.give = (name, value) => {
    const it = part(name);
    set(it, value, name);
    it.given = true;
  };
  lamplight.watch = (name, watcher) => part(name).watchers.push(watcher);

  lamplight.part = (name, props, watch) => {
    const it = part(name);
    if (!it.given) it.value = props.value; // the channel may have been here first
    watch("value", () => it.given || set(it, props.value, name));
    return [it, (_, watcher) => it.watchers.push(watcher)];
  };

  // What a person does before the channel's script is there is done once it is.
  for (const name of ["act", "ask"])
    lamplight[name] ??= (...given) => (lamplight.early ??= []).push([name, ...given]);

  const idOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id : "");

  function mergeAttributes(have, want) {
    for (const { name } of [...have.attributes]) {
      if (want.hasAttribute(name)) continue;
      if (name === "open" && have.tagName === "DETAILS") continue; // a person opened it
      if (name === "data-shown" || (name === "style" && have.hasAttribute("data-shown"))) continue;
      have.removeAttribute(name);
    }
    for (const { name, value } of [...want.attributes]) {
      if (have.getAttribute(name) === value) continue;
      have.setAttribute(name, value);
      if (name === "value") have.value = value;
    }
  }

  function mergeNode(have, want) {
    if (have.nodeType === Node.ELEMENT_NODE) {
      mergeAttributes(have, want);
      mergeChildren(have, want);
    } else if (have.nodeValue !== want.nodeValue) {
      have.nodeValue = want.nodeValue;
    }
  }

  function mergeChildren(parent, wanted) {
    const wantedIds = new Set([...wanted.childNodes].map(idOf).filter(Boolean));
    const byId = new Map();
    for (const node of parent.childNodes) if (idOf(node)) byId.set(idOf(node), node);
    let cursor = parent.firstChild;
    for (const want of [...wanted.childNodes]) {
      const id = idOf(want);
      // An element that is no longer wanted is removed first, so that those after it need not move.
      while (cursor && idOf(cursor) && idOf(cursor) !== id && !wantedIds.has(idOf(cursor))) {
        const gone = cursor;
        cursor = cursor.nextSibling;
        gone.remove();
      }
      let have = id ? byId.get(id) : cursor;
      const fits = have && have.nodeName === want.nodeName && idOf(have) === id;
      if (!fits) {
        parent.insertBefore(want.cloneNode(true), cursor);
        continue;
      }
      if (have === cursor) cursor = cursor.nextSibling;
      else parent.insertBefore(have, cursor);
      mergeNode(have, want);
    }
    while (cursor) {
      const gone = cursor;
      cursor = cursor.nextSibling;
      gone.remove();
    }
  }

  lamplight.merge = (host, html) => {
    const focused = host.contains(document.activeElement) ? document.activeElement : null;
    const template = document.createElement("template");
    template.innerHTML = html;
    mergeChildren(host, template.content);
    if (!focused || document.activeElement === focused) return;
    const again = focused.id ? document.getElementById(focused.id) : null;
    (again ?? (focused.isConnected ? focused : null))?.focus({ preventScroll: true });
  };

  // A person who edits while the text is out of sight is taken to it as soon as it is rewritten. An
  // edit that is refused leaves them where the reason is shown.
  const EDITS = new Set(["change", "relation", "delete", "add", "rename", "merge", "restore"]);
  const summary = () => document.getElementById("summary")?.textContent ?? "";
  let edited = null; // the summary that stood when an edit was sent
  lamplight.showRewriting = (host) => {
    if (edited === null || (summary() === edited && !host.querySelector("[aria-busy=true]"))) return;
    edited = null;
    const { top } = host.getBoundingClientRect();
    if (top < 0 || top > window.innerHeight * 0.6) host.scrollIntoView({ block: "start" });
  };

  // What an element with data-action reports: its data attributes and, for a form, the fields.
  function report(element) {
    const data = { ...element.dataset };
    edited = EDITS.has(data.action) ? summary() : null;
    if (element.tagName === "FORM") data.fields = Object.fromEntries(new FormData(element));
    const reason = element.closest(".card-body")?.querySelector("#reason");
    if (reason?.value) data.reason = reason.value;
    return data;
  }

  lamplight.panel = (element, props, watch, send) => {
    const host = element.querySelector("[data-host]");
    const draw = () => {
      lamplight.merge(host, typeof props.value === "string" ? props.value : "");
      lamplight.settleFocus();
    };
    host.addEventListener("click", (event) => {
      const target = event.target.closest("[data-action]");
      if (!target || target.tagName === "FORM" || !host.contains(target)) return;
      event.preventDefault();
      if ("example" in target.dataset) shut();
      if (target.dataset.confirm && !target.dataset.armed) return arm(target);
      send(report(target));
    });
    host.addEventListener("submit", (event) => {
      event.preventDefault();
      if ("drop" in event.target.dataset) {
        const text = event.target.querySelector("textarea").value;
        send({ action: event.target.dataset.action, text });
        if (text.trim()) shut();
      } else {
        send(report(event.target));
      }
    });
    // What opens below the card's edge would not be seen.
    host.addEventListener("click", (event) => {
      const more = event.target.closest("#more > summary")?.parentElement;
      const card = more?.closest("#card");
      if (card) requestAnimationFrame(() => {
        if (!more.open) return;
        if (card.scrollHeight > card.clientHeight)
          card.scrollTop += more.getBoundingClientRect().top - card.getBoundingClientRect().top - 8;
        else more.scrollIntoView({ block: "nearest" });
      });
    });
    // The report of an import stands below the form, which closes to make room for the text.
    const shut = () => host.querySelector("details")?.removeAttribute("open");
    host.addEventListener("change", (event) => {
      if (!("file" in event.target.dataset) || !event.target.files.length) return;
      take(event.target.files[0]);
      event.target.value = "";
    });
    const take = (file) => {
      shut();
      lamplight.sendFile(file, send);
    };
    if (element.closest("#own")) lamplight.dropFile = take;
    // A field with data-suggest asks for entities while a person types.
    let waiting = 0;
    host.addEventListener("input", (event) => {
      if (!("suggest" in event.target.dataset)) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => send({ action: "suggest", text: event.target.value }), 150);
    });
    watch("value", draw);
    draw();
    return host;
  };

  // A file is sent as its bytes: which encoding it has is established in one place, by Python.
  const LARGEST = 1_500_000;
  lamplight.sendFile = (file, send) => {
    const data = { action: "take-facts", name: file.name };
    if (file.size > LARGEST) return send({ ...data, problem: "size", size: file.size });
    const reader = new FileReader();
    reader.onload = () => send({ ...data, data: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.onerror = () => send({ ...data, problem: "unreadable" });
    reader.readAsDataURL(file);
  };

  // A button that discards work asks for confirmation, in place, for three seconds.
  function arm(button) {
    const words = button.textContent;
    button.dataset.armed = "yes";
    button.textContent = button.dataset.confirm;
    setTimeout(() => {
      if (!button.isConnected || button.textContent !== button.dataset.confirm) return;
      delete button.dataset.armed;
      button.textContent = words;
    }, 3000);
  }

  // The id of the element that gets the focus as soon as an answer has drawn it.
  lamplight.focusNext = null;
  lamplight.settleFocus = () => {
    if (!lamplight.focusNext) return;
    const target = document.getElementById(lamplight.focusNext);
    if (!target) return;
    lamplight.focusNext = null;
    target.focus({ preventScroll: false });
    target.select?.();
  };

  // A list of suggestions under an input: asks while a person types; the arrow keys choose.
  lamplight.search = (element, props, watch, send) => {
    const host = lamplight.panel(element, props, watch, send);
    let waiting = 0;
    const options = () => [...host.querySelectorAll("[role=option]")];
    const input = () => host.querySelector("input");
    const move = (to) => {
      for (const option of options()) option.setAttribute("aria-selected", String(option === to));
      if (to) input().setAttribute("aria-activedescendant", to.id);
      to?.scrollIntoView({ block: "nearest" });
    };
    host.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => send({ action: "search", text: input().value }), 90);
    });
    host.addEventListener("keydown", (event) => {
      const list = options();
      const at = list.findIndex((option) => option.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!list.length) return;
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        move(list[(at + step + list.length) % list.length]);
      } else if (event.key === "Enter") {
        event.preventDefault();
        (list[at] ?? list[0])?.click();
      } else if (event.key === "Escape") {
        input().value = "";
        send({ action: "search", text: "" });
      }
    });
    host.addEventListener("click", (event) => {
      if (event.target.closest("[role=option]")) input().value = "";
    });
    host.addEventListener("focusout", (event) => {
      if (host.contains(event.relatedTarget) || !options().length) return;
      setTimeout(() => send({ action: "search", text: "" }), 150);
    });
  };

  // Light and dark: the visitor's own choice wins over the system's.
  const chosen = () => localStorage.getItem("lamplight-theme");
  lamplight.theme = () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    document.body.classList.toggle("dark", (chosen() ?? system) === "dark");
  };
  lamplight.theme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", lamplight.theme);
  const layout = () => document.getElementById("layout");
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-page]");
    if (!target) return;
    if (target.dataset.page === "theme") {
      const dark = document.body.classList.contains("dark");
      localStorage.setItem("lamplight-theme", dark ? "light" : "dark");
      lamplight.theme();
    }
    if (target.dataset.page === "facts-view") {
      layout().dataset.facts = target.dataset.view;
      for (const tab of document.querySelectorAll("[data-page=facts-view]"))
        tab.setAttribute("aria-pressed", String(tab.dataset.view === target.dataset.view));
      window.dispatchEvent(new Event("resize"));
    }
    if (target.dataset.page === "copy") copy(target);
    if (target.dataset.page === "enlarge") {
      const large = layout().classList.toggle("graph-large");
      target.setAttribute("aria-pressed", String(large));
      target.textContent = large ? "Make smaller" : "Enlarge";
      window.dispatchEvent(new Event("resize"));
    }
  });

  // A menu closes when the focus goes elsewhere, on Escape, and once something was chosen from it.
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("pointerdown", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("details.menu a");
    if (link) link.closest("details.menu").open = false;
  });

  async function copy(button) {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser blocks copying";
    }
    setTimeout(() => button.isConnected && (button.textContent = words), 1500);
  }

  // A file may be dropped anywhere on the page; it goes into *Your facts*.
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    document.getElementById("own-facts")?.setAttribute("open", "");
    layout()?.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) layout()?.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    layout()?.classList.remove("dropping");
    const file = event.dataTransfer.files[0];
    if (file) lamplight.dropFile?.(file);
  });

  // A file that Python made in memory is saved without a detour through the server's disk.
  lamplight.download = (element, props, watch) => {
    watch("value", () => {
      if (!props.value) return;
      const file = JSON.parse(props.value);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  };
})();

// What the pages cannot do without script: live regions, toasts, dialogs, small helpers.
// Without this file every page works, but nothing refreshes by itself.
(() => {
  const $ = (id) => document.getElementById(id);
  const on = (event, act, capture) => document.addEventListener(event, act, capture);
  document.documentElement.classList.add("js");

  // Toasts: text only, never HTML. Errors stay until closed.
  const toast = (text, tone = "info") => {
    const item = $("toast").content.firstElementChild.cloneNode(true);
    item.classList.add(tone);
    item.querySelector("p").textContent = text;
    $("toasts").append(item);
    if (tone !== "bad") setTimeout(() => item.remove(), 6000);
  };
  on("toast", (e) => toast(e.detail.text, e.detail.tone));

  // A form with data-confirm asks first; the capture phase comes before htmx.
  let asked = null;
  on("submit", (e) => {
    const form = e.target;
    if (!form.dataset.confirm || asked === form) return void (asked = null);
    e.preventDefault();
    e.stopImmediatePropagation();
    const dialog = $("confirm");
    $("confirm-text").textContent = form.dataset.confirm;
    $("confirm-yes").textContent = form.dataset.yes;
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      asked = form;
      form.requestSubmit();
    };
    dialog.showModal();
  }, true);

  const secret = () => {
    // No signs that look alike; 69 bits.
    const letters = "abcdefghjkmnpqrstuvwxyz23456789";
    let text = "";
    while (text.length < 14) {
      const byte = crypto.getRandomValues(new Uint8Array(1))[0];
      if (byte < 248) text += letters[byte % 31];
    }
    return text;
  };

  on("click", (e) => {
    const at = (selector) => e.target.closest(selector);
    const reveal = at("[data-reveal]"), generate = at("[data-generate]"), copy = at("[data-copy]");
    const show = (input, shown) => {
      input.type = shown ? "text" : "password";
      document.querySelector(`[data-reveal="${input.id}"]`)?.setAttribute("aria-pressed", shown);
    };
    if (reveal) show($(reveal.dataset.reveal), $(reveal.dataset.reveal).type === "password");
    if (generate) {
      const input = $(generate.dataset.generate);
      input.value = secret();
      show(input, true);
      input.focus();
    }
    if (copy) {
      const text = copy.dataset.copy || $(copy.dataset.from).textContent;
      const done = navigator.clipboard?.writeText(text) ?? Promise.reject();
      done.then(() => toast("Copied", "good"), () => toast("The browser refused. Select the text by hand.", "bad"));
    }
    if (at("[data-close]")) at("[data-closable]").remove();
    fold(e.target);
  });

  // Closes menus and search results, except those that hold `kept`.
  const fold = (kept) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(kept)) menu.open = false;
    if ($("hits") && !$("hits").parentNode.contains(kept)) $("hits").textContent = "";
  };
  on("keydown", (e) => {
    if (e.key === "Escape") fold(null);
    if (e.key === "/" && $("search") && !e.target.closest("input, textarea, select")) {
      e.preventDefault();
      $("search").focus();
    }
  });

  // Live regions rest while the tab is hidden, a question is open, or the keyboard is in them.
  on("htmx:beforeRequest", (e) => {
    const rest = document.hidden || $("confirm").open || e.detail.target.querySelector(":focus-visible");
    if (rest && e.target.matches("[data-live]")) e.preventDefault();
  });
  // One notice when the panel stops answering, not one per poll; none if it brings its own.
  let lost = false;
  const lose = (e) => {
    const xhr = e.detail.xhr;
    if (xhr.status === 401) return location.reload();
    if (xhr.status && xhr.getResponseHeader("HX-Trigger")) return;
    if (!lost || !e.target.matches("[data-live]")) toast("The panel does not answer. What you see may be old.", "bad");
    lost = true;
  };
  on("htmx:sendError", lose);
  on("htmx:responseError", lose);
  on("htmx:afterOnLoad", () => { lost = false; });
})();

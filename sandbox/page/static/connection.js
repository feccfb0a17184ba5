// The one WebSocket to the workspace: questions with answers, and what happens by itself.

const RETRY_MS = [300, 600, 1200, 2400, 4800];

export class Connection {
  // `heard(event)` gets what happens; `state(connected)` hears of the line itself.
  constructor(heard, state) {
    this.heard = heard;
    this.state = state;
    this.waiting = new Map();
    this.next = 1;
    this.tries = 0;
  }

  // Speaks for `person` from now on (null: whoever comes first).
  open(person) {
    this.person = person;
    this.socket?.close();
    const url = new URL("socket", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = person ? new URLSearchParams({ user: person }) : "";
    url.hash = "";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.tries = 0;
      this.state(true);
    });
    socket.addEventListener("message", (event) => {
      if (this.socket === socket) this.#receive(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => this.#lost(socket));
  }

  // Resolves to the outcome; without a line it is a failure like any other.
  send(op) {
    if (op.op === "upload") return this.#upload(op.file);
    if (this.socket?.readyState !== WebSocket.OPEN) return Promise.resolve(FAILED);
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.send(JSON.stringify({ id, ...op }));
    });
  }

  // Files are too large for the line.
  async #upload(file) {
    const about = new URLSearchParams({ name: file.name, ...(this.person ? { user: this.person } : {}) });
    try {
      const answer = await fetch(`uploads?${about}`, { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
      return await answer.json();
    } catch {
      return FAILED;
    }
  }

  #receive(message) {
    if (message.re === undefined) {
      this.heard(message);
      return;
    }
    this.waiting.get(message.re)?.(message);
    this.waiting.delete(message.re);
  }

  #lost(socket) {
    if (this.socket !== socket) return;
    for (const resolve of this.waiting.values()) resolve(FAILED);
    this.waiting.clear();
    this.state(false);
    const pause = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    setTimeout(() => this.socket === socket && this.open(this.person), pause);
  }
}

const FAILED = { ok: false, error: "offline", shown: "The workspace can't be reached just now. Try again in a moment.", errors: {}, options: [] };

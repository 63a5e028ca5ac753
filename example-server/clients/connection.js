// A WebSocket that comes back, and the chat's commands on it.
"use strict";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/** Where the server is for a page that was opened from a file. */
const DEFAULT_HOST = "127.0.0.1:20083";

/**
 * The server answers commands in order, and sends what others say in between. An answer is known by being the one that
 * is due, or, where it carries data, by an id that nobody else can know.
 */
class Connection {
  #socket;
  #retry = FIRST_RETRY_MS;
  #timer;
  /** The answers that are due, in order. */
  #due = [];
  #questions = new Map();

  /** `opened()`, `said(text)`, `failed(text)`, `state(name, seconds)` are called when these things happen. */
  constructor(events) {
    this.events = events;
    // Who is back on the net, or back at the page, need not wait.
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.retryNow();
      }
    });
    this.#connect();
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  retryNow() {
    if (this.#timer !== undefined) {
      this.#connect();
    }
  }

  /** Closes the connection; it then comes back as from any loss. */
  drop() {
    this.#socket.close();
  }

  /** Sends a command that is answered with exactly `answer`, or with an error. */
  command(command, answer) {
    this.#due.push(answer);
    this.#socket.send(command);
  }

  /** Has PHPServer greet somebody. The greeting comes as a text like any other. */
  greet(name) {
    this.#socket.send(`hello|${name}`);
  }

  /** Asks `who` or `history`; `answered` receives the object. */
  ask(question, fields, answered) {
    const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");
    this.#questions.set(id, answered);
    this.#socket.send(`${question}|${JSON.stringify({ ...fields, id })}`);
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = [];
    this.#questions.clear();
    this.events.state("connecting", 0);
    const host = location.host || DEFAULT_HOST;
    this.#socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${host}/`);
    this.#socket.addEventListener("open", () => {
      this.#retry = FIRST_RETRY_MS;
      this.events.state("open", 0);
      this.events.opened();
    });
    this.#socket.addEventListener("message", (event) => this.#received(event.data));
    this.#socket.addEventListener("close", () => {
      // Half of the pause is random, so that the clients of a restarted server do not come at once.
      const pause = this.#retry / 2 + (Math.random() * this.#retry) / 2;
      this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY_MS);
      this.#timer = setTimeout(() => this.#connect(), pause);
      this.events.state("closed", Math.ceil(pause / 1000));
    });
  }

  #received(message) {
    const data = /^(?:Who|History):(\{.*\})$/s.exec(message);
    if (data && this.#answer(data[1])) {
      return;
    }
    const due = this.#due.indexOf(message);
    if (due >= 0) {
      // Those before it were answered with errors.
      this.#due.splice(0, due + 1);
    } else if (message.startsWith("Error: ")) {
      this.events.failed(message);
    } else {
      this.events.said(message);
    }
  }

  #answer(json) {
    let answer;
    try {
      answer = JSON.parse(json);
    } catch {
      return false;
    }
    const answered = this.#questions.get(answer.id);
    this.#questions.delete(answer.id);
    answered?.(answer);
    return answered !== undefined;
  }
}

// The two room pages and the index: one script, no library. What others say is only ever inserted
// as text.
"use strict";

const TEXTS = {
  en: {
    title: "Chat",
    choose: "Choose a room. What is said in one room stays there; a broadcast reaches both.",
    room: "Room",
    connecting: "connecting",
    open: "connected",
    closed: "disconnected",
    retry: "trying again in {0} s",
    messages: "Messages",
    message: "Message",
    send: "Send to room",
    broadcast: "Broadcast",
    name: "Your name",
    hello: "Say hello",
    joined: "You are in {0}.",
    other: "中文",
    otherLanguage: "zh",
  },
  zh: {
    title: "聊天室",
    choose: "请选择一个房间。房间里的消息只有房间成员可见;广播会发给所有人。",
    room: "房间",
    connecting: "连接中",
    open: "已连接",
    closed: "已断开",
    retry: "{0} 秒后重试",
    messages: "消息",
    message: "消息",
    send: "发送到房间",
    broadcast: "广播",
    name: "您的名字",
    hello: "打个招呼",
    joined: "您已进入 {0}。",
    other: "English",
    otherLanguage: "en",
  },
};

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/** Lines kept in the log: an open page does not grow for ever. */
const LOG_LINES = 500;
/** Where the server is for a page that was opened from a file. */
const DEFAULT_HOST = "127.0.0.1:20083";

const element = (id) => document.getElementById(id);

// --- language ---

let language = load("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

/** A page opened from a file, or one with cookies off, has no storage. */
function load(key) {
  try {
    const value = localStorage.getItem(key);
    return value in TEXTS ? value : null;
  } catch {
    return null;
  }
}

function save(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

function text(key, value) {
  return TEXTS[language][key].replace("{0}", () => value);
}

function translate() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) {
    node.textContent = text(node.dataset.text);
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", text(node.dataset.label));
  }
  const button = element("language");
  button.textContent = text("other");
  button.lang = text("otherLanguage");
}

// --- a room ---

function enter(room) {
  const log = element("log");
  const status = element("status");
  const buttons = ["send", "broadcast", "hello"].map(element);
  const host = location.host || DEFAULT_HOST;
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${host}/`;
  const subscribed = `Subscribe roomNum:${room} success!`;
  // Answers to one's own commands; everything else was said by somebody.
  const acknowledgements = ["SendByRoom success!", "Broadcast success!"];
  let socket;
  let retry = FIRST_RETRY_MS;
  let state = "connecting";
  let wait = 0;

  function show(next, seconds = 0) {
    state = next;
    wait = seconds;
    status.dataset.state = state;
    const more = seconds > 0 ? `, ${text("retry", seconds)}` : "";
    status.textContent = text(state) + more;
    for (const button of buttons) {
      button.disabled = state !== "open";
    }
  }

  function append(line, kind) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    paragraph.className = kind;
    log.append(paragraph);
    while (log.childElementCount > LOG_LINES) {
      log.firstElementChild.remove();
    }
    // Somebody who reads further up is left there.
    if (atEnd) {
      log.scrollTop = log.scrollHeight;
    }
  }

  function received(message) {
    if (message === subscribed) {
      append(text("joined", room), "note");
    } else if (acknowledgements.includes(message)) {
      append(message, "note");
    } else {
      append(message, message.startsWith("Error: ") ? "error" : "said");
    }
  }

  function connect() {
    show("connecting");
    socket = new WebSocket(url);
    socket.addEventListener("open", () => {
      retry = FIRST_RETRY_MS;
      show("open");
      // A new connection is in no room, whatever the last one was in.
      socket.send(`subscribe|${room}`);
    });
    socket.addEventListener("message", (event) => received(event.data));
    socket.addEventListener("close", () => {
      // Half of the pause is random, so that the clients of a restarted server do not come at once.
      const pause = retry / 2 + (Math.random() * retry) / 2;
      retry = Math.min(retry * 2, LONGEST_RETRY_MS);
      show("closed", Math.ceil(pause / 1000));
      setTimeout(connect, pause);
    });
  }

  /** Sends what the field holds, and empties it, unless there is nothing or nobody to send to. */
  function send(field, command, keep = false) {
    const value = field.value;
    if (value !== "" && socket.readyState === WebSocket.OPEN) {
      socket.send(command(value));
      if (!keep) {
        field.value = "";
      }
    }
    field.focus();
  }

  const message = element("message");
  element("say").addEventListener("submit", (event) => {
    event.preventDefault();
    send(message, (value) => `sendByRoom|${JSON.stringify({ roomNum: room, message: value })}`);
  });
  element("broadcast").addEventListener("click", () => {
    send(message, (value) => `broadcast|${JSON.stringify({ message: value })}`);
  });
  element("greet").addEventListener("submit", (event) => {
    event.preventDefault();
    send(element("name"), (value) => `hello|${value}`, true);
  });

  connect();
  return () => show(state, wait);
}

const room = document.body.dataset.room;
translate();
const showAgain = room ? enter(room) : () => {};
element("language").addEventListener("click", () => {
  language = text("otherLanguage");
  save("language", language);
  translate();
  showAgain();
});

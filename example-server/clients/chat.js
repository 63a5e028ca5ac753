// A room. What others say is only ever inserted as text.
"use strict";

/** Lines kept in the log: an open page does not grow for ever. */
const LOG_LINES = 500;
/** How often a page that is looked at asks who is there: for each person in the room, so that all of its pages together
 * ask as often whatever its size; but not more often than this. */
const WHO_MS_EACH = 30;
const WHO_MS = 3_000;
const RECENT_ROOMS = 8;

const log = element("log");
const statusLine = element("status");
const retryButton = element("retry");
const nameField = element("name");
const messageField = element("message");

let room = roomOfPage();
let ownName = load("name") ?? "";
let state = "connecting";
let seconds = 0;
let present;
let whoTimer;
/** The texts in the log that were said in the room, in order. */
let said = [];
/** How many of them came since the connection was opened. */
let fresh = 0;
/** What was sent from here and has not come back. */
let own = [];

const connection = new Connection({
  opened: enter,
  said: (message) => {
    fresh += 1;
    said.push(message);
    said.splice(0, said.length - LOG_LINES);
    show(message, Date.now());
  },
  failed: (message) => {
    const line = document.createElement("p");
    line.className = "error";
    line.textContent = message;
    insert(line);
  },
  state: (next, wait) => {
    state = next;
    seconds = wait;
    showState();
  },
});

/** The room in the URL, or that of the page. */
function roomOfPage() {
  const own = location.pathname.endsWith("/client2.html") ? "room2" : "room1";
  return new URLSearchParams(location.search).get("room") || own;
}

/** A new connection has no name and is in no room, whatever the last one was. */
function enter() {
  own = [];
  fresh = 0;
  if (ownName !== "") {
    connection.command(`name|${ownName}`, `Name:${ownName} success!`);
  }
  connection.command(`subscribe|${room}`, `Subscribe roomNum:${room} success!`);
  const entered = room;
  connection.ask("history", { roomNum: room }, ({ messages }) => {
    if (entered === room) {
      catchUp(messages);
    }
  });
  askWho();
}

/** Shows what was said before, or while the connection was away. */
function catchUp(messages) {
  const before = said.slice(0, said.length - fresh);
  const texts = messages.map((message) => message.text);
  // What came since the connection was opened is the end of both, but for broadcasts and greetings.
  let end = texts.length;
  for (const message of said.slice(before.length).reverse()) {
    end -= texts[end - 1] === message ? 1 : 0;
  }
  let start = 0;
  for (let i = before.length - 1; i >= 0 && start === 0; i--) {
    start = texts.lastIndexOf(before[i], end - 1) + 1;
  }
  const missed = messages.slice(start, end);
  const first = fresh > 0 ? [...log.querySelectorAll(".said")].at(-fresh) : null;
  if (missed.length > 0 && before.length > 0) {
    note("missed", "", first);
  }
  for (const message of missed) {
    show(message.text, message.time, first);
  }
  said.splice(said.length - fresh, 0, ...missed.map((message) => message.text));
  if (before.length === 0) {
    note("joined", room, first);
  }
}

function askWho() {
  clearTimeout(whoTimer);
  whoTimer = setTimeout(askWho, Math.max(WHO_MS, WHO_MS_EACH * (present?.count ?? 0)));
  if (!connection.isOpen || document.hidden) {
    return;
  }
  const asked = room;
  connection.ask("who", { roomNum: room }, (who) => {
    if (asked === room) {
      present = who;
      showPeople();
    }
  });
}

// --- what is seen ---

function showState() {
  statusLine.dataset.state = state;
  statusLine.textContent = seconds > 0 ? `${text(state)}, ${text("retry", seconds)}` : text(state);
  retryButton.hidden = state !== "closed";
  for (const id of ["send", "broadcast", "hello"]) {
    element(id).disabled = state !== "open";
  }
}

function showRoom() {
  element("room").textContent = room;
  document.title = `${room} - ${text("title")}`;
  for (const link of document.querySelectorAll("#rooms a")) {
    if (link.dataset.room === room) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

function showPeople() {
  const { count, names } = present ?? { count: 0, names: [] };
  element("count").textContent = present ? count : "";
  element("alone").hidden = !present?.alone;
  const items = names.map((person) => {
    const item = document.createElement("li");
    item.textContent = person;
    return item;
  });
  const unnamed = count - names.length;
  if (unnamed > 0) {
    const item = document.createElement("li");
    item.className = "unnamed";
    item.textContent = unnamed === 1 ? text("one") : text("unnamed", unnamed);
    items.push(item);
  }
  const list = element("people");
  const shown = [...list.children].map((item) => item.textContent).join("\n");
  // An unchanged list stays as it is: nobody is told of it again.
  if (shown !== items.map((item) => item.textContent).join("\n")) {
    list.replaceChildren(...items);
  }
}

/** Puts a line into the log, before `next` if there is one. */
function insert(line, next = null) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.insertBefore(line, next);
  while (log.childElementCount > LOG_LINES) {
    log.firstElementChild.remove();
  }
  // Somebody who reads further up is left there.
  if (atEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

/** A line of the page's own, in the language that is chosen. */
function note(key, value, next) {
  const line = document.createElement("p");
  line.className = "note";
  Object.assign(line.dataset, { note: key, value });
  line.textContent = text(key, value);
  insert(line, next);
}

/** What is in the log already, in the other language. */
function translateLog() {
  for (const line of log.querySelectorAll("[data-note]")) {
    line.textContent = text(line.dataset.note, line.dataset.value);
  }
  for (const when of log.querySelectorAll("time")) {
    when.textContent = clock(when.dateTime);
  }
}

function clock(time) {
  return new Date(time).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

/** The name in front of `ted: hello`, as these pages send it; a client of TarsPHP sends none. */
function split(message) {
  const colon = message.indexOf(": ");
  const speaker = message.slice(0, Math.max(colon, 0));
  const plausible = speaker !== "" && speaker.length <= 32 && !/[\n{}"<>/]/.test(speaker);
  return plausible ? { speaker, words: message.slice(colon + 2) } : { speaker: "", words: message };
}

function show(message, time, next) {
  const mine = own.indexOf(message);
  if (mine >= 0) {
    own.splice(mine, 1);
  }
  const { speaker, words } = split(message);
  const line = document.createElement("p");
  line.className = mine >= 0 || (speaker !== "" && speaker === ownName) ? "said mine" : "said";
  line.dir = "auto";
  if (speaker !== "") {
    const who = document.createElement("b");
    who.textContent = speaker;
    line.append(who, " ");
  }
  const what = document.createElement("span");
  what.textContent = words;
  const when = document.createElement("time");
  when.dateTime = new Date(time).toISOString();
  when.textContent = clock(time);
  line.append(what, " ", when);
  insert(line, next);
}

// --- what is done ---

function say(command, answer) {
  const words = messageField.value.trim();
  if (words !== "" && connection.isOpen) {
    const message = ownName === "" ? words : `${ownName}: ${words}`;
    own.push(message);
    connection.command(command(message), answer);
    messageField.value = "";
  }
  messageField.focus();
}

/** Goes to a room, as if it was another page. */
function go(next) {
  if (next !== "" && next !== room) {
    history.pushState(null, "", `?room=${encodeURIComponent(next)}`);
    change(next);
  }
  messageField.focus();
}

function change(next) {
  if (connection.isOpen) {
    connection.command(`unsubscribe|${room}`, `Unsubscribe roomNum:${room} success!`);
  }
  room = next;
  said = [];
  fresh = 0;
  present = undefined;
  log.replaceChildren();
  remember();
  showRoom();
  showPeople();
  if (connection.isOpen) {
    enter();
  }
}

/** Rooms that were joined before are offered in the form. */
function remember() {
  let rooms = [];
  try {
    rooms = JSON.parse(load("rooms") ?? "[]").filter((known) => typeof known === "string" && known !== room);
  } catch {
    // Whatever it was, it is overwritten.
  }
  rooms = [room, ...rooms].slice(0, RECENT_ROOMS);
  save("rooms", JSON.stringify(rooms));
  const options = rooms.map((known) => {
    const option = document.createElement("option");
    option.value = known;
    return option;
  });
  element("recent").replaceChildren(...options);
}

element("say").addEventListener("submit", (event) => {
  event.preventDefault();
  say((message) => `sendByRoom|${JSON.stringify({ roomNum: room, message })}`, "SendByRoom success!");
});
element("broadcast").addEventListener("click", () => {
  say((message) => `broadcast|${JSON.stringify({ message })}`, "Broadcast success!");
});
element("rename").addEventListener("submit", (event) => {
  event.preventDefault();
  ownName = nameField.value.trim();
  nameField.value = ownName;
  save("name", ownName);
  if (connection.isOpen) {
    connection.command(`name|${ownName}`, `Name:${ownName} success!`);
    note(ownName === "" ? "unrenamed" : "renamed", ownName);
    askWho();
  }
});
element("hello").addEventListener("click", () => {
  if (connection.isOpen) {
    // Its answer is what PHPServer says, or an error; it is shown as it comes.
    connection.greet(nameField.value.trim());
  }
});
element("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = element("other");
  go(field.value.trim());
  field.value = "";
});
element("rooms").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-room]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(link.dataset.room);
  }
});
retryButton.addEventListener("click", () => connection.retryNow());
document.addEventListener("visibilitychange", askWho);
addEventListener("popstate", () => change(roomOfPage()));

nameField.value = ownName;
remember();
speak(() => {
  showState();
  showRoom();
  showPeople();
  translateLog();
});
showState();
showRoom();
askWho();

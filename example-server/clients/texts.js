// What the pages say, in English and Chinese. A page names its texts by data-text, data-label, data-hint and data-tip.
"use strict";

const TEXTS = {
  en: {
    title: "Chat",
    choose: "Pick a room, or name a new one. What is said in a room stays there; a broadcast reaches everybody.",
    skip: "Skip to the message field",
    back: "All rooms",
    room: "Room",
    rooms: "Rooms",
    roomName: "Name of a room",
    join: "Join",
    connecting: "connecting",
    open: "connected",
    closed: "disconnected",
    retry: "trying again in {0} s",
    retryNow: "Try now",
    messages: "Messages",
    message: "Message",
    messageHint: "Say something",
    send: "Send",
    broadcast: "Send to all rooms",
    you: "You",
    name: "Your name",
    nameHint: "Shown to others",
    save: "Save",
    hello: "Greet me",
    helloHint: "Asks the PHPServer for a greeting, over RPC",
    people: "Here now",
    unnamed: "{0} without a name",
    one: "one without a name",
    alone: "Other servers cannot be reached at the moment: this is who is on this one.",
    joined: "You are in {0}.",
    renamed: "Others see you as {0}.",
    unrenamed: "Others do not see a name of yours.",
    missed: "Said while you were away:",
    other: "中文",
    otherLanguage: "zh",
    admin: "Operations",
    token: "Push token",
    tokenHint: "pushToken of services.toml; empty on the server's own host",
    watch: "Watch",
    stop: "Stop",
    watching: "watching",
    denied: "The server wants the push token.",
    notLocal: "Without a push token this is open on the server's own host only.",
    unreachable: "The server does not answer; trying again.",
    connections: "Connections",
    deliveries: "Deliveries per second",
    rpc: "RPC latency, ms",
    p50: "half are faster",
    p99: "99 % are faster",
    slow: "Slow consumers, per second",
    closedSlow: "closed",
    dropped: "messages dropped",
    counters: "Counted since the start",
    counter: "What",
    count: "How many",
    now: "now",
    noCalls: "no calls",
    span: "the last {0} s",
  },
  zh: {
    title: "聊天室",
    choose: "请选择一个房间,或输入新的房间名。房间里的消息只有房间成员可见;广播会发给所有人。",
    skip: "跳到消息输入框",
    back: "全部房间",
    room: "房间",
    rooms: "房间",
    roomName: "房间名",
    join: "进入",
    connecting: "连接中",
    open: "已连接",
    closed: "已断开",
    retry: "{0} 秒后重试",
    retryNow: "立即重试",
    messages: "消息",
    message: "消息",
    messageHint: "说点什么",
    send: "发送",
    broadcast: "发送到所有房间",
    you: "我",
    name: "您的名字",
    nameHint: "别人看到的名字",
    save: "保存",
    hello: "打个招呼",
    helloHint: "通过 RPC 请 PHPServer 打个招呼",
    people: "在线",
    unnamed: "{0} 位未署名",
    one: "1 位未署名",
    alone: "暂时无法连接其他服务器:这里只显示本服务器上的人。",
    joined: "您已进入 {0}。",
    renamed: "别人看到的名字是 {0}。",
    unrenamed: "别人看不到您的名字。",
    missed: "您离开时的消息:",
    other: "English",
    otherLanguage: "en",
    admin: "运维",
    token: "推送令牌",
    tokenHint: "services.toml 里的 pushToken;在服务器本机上可以为空",
    watch: "开始",
    stop: "停止",
    watching: "监控中",
    denied: "服务器需要推送令牌。",
    notLocal: "没有推送令牌时,只能在服务器本机上查看。",
    unreachable: "服务器没有响应,正在重试。",
    connections: "连接数",
    deliveries: "每秒投递数",
    rpc: "RPC 延迟(毫秒)",
    p50: "一半的调用更快",
    p99: "99% 的调用更快",
    slow: "每秒慢消费者",
    closedSlow: "已关闭",
    dropped: "丢弃的消息",
    counters: "启动以来的计数",
    counter: "项目",
    count: "数量",
    now: "当前",
    noCalls: "没有调用",
    span: "最近 {0} 秒",
  },
};

const element = (id) => document.getElementById(id);

/** A page opened from a file, or one with cookies off, has no storage: a choice then lasts as long as the page. */
function load(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function save(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // See load.
  }
}

const chosen = load("language");
let language = chosen in TEXTS ? chosen : navigator.language.startsWith("zh") ? "zh" : "en";

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
  for (const node of document.querySelectorAll("[data-hint]")) {
    node.placeholder = text(node.dataset.hint);
  }
  for (const node of document.querySelectorAll("[data-tip]")) {
    node.title = text(node.dataset.tip);
  }
  const button = element("language");
  button.textContent = text("other");
  button.lang = text("otherLanguage");
}

/** Translates the page, now and when the other language is chosen; `again` shows what the page itself has written. */
function speak(again = () => {}) {
  translate();
  element("language").addEventListener("click", () => {
    language = text("otherLanguage");
    save("language", language);
    translate();
    again();
  });
}

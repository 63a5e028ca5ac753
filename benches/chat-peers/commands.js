// The commands of the chat that wsload sends, and their answers.
"use strict";

exports.answer = (text, { subscribe, unsubscribe, send }) => {
  const cut = text.indexOf("|");
  const command = cut < 0 ? text : text.slice(0, cut);
  const argument = cut < 0 ? "" : text.slice(cut + 1);
  switch (command) {
    case "ping":
      return "pong";
    case "subscribe":
      subscribe(argument);
      return `Subscribe roomNum:${argument} success!`;
    case "unsubscribe":
      unsubscribe(argument);
      return `Unsubscribe roomNum:${argument} success!`;
    case "sendByRoom": {
      const { roomNum, message } = JSON.parse(argument);
      send(String(roomNum), String(message));
      return "SendByRoom success!";
    }
    default:
      return "Rsp from server: this is server";
  }
};

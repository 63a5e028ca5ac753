// uWebSockets.js: rooms are its topics, and a publish is corked and encoded by the library.
"use strict";

const uws = require("@trufflesuite/uws-js-unofficial");
const { answer } = require("./commands");

const port = Number(process.argv[2]);
const app = uws.App();
app.ws("/*", {
  compression: uws.DISABLED,
  idleTimeout: 0,
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 2 * 1024 * 1024,
  message(socket, data) {
    const text = answer(Buffer.from(data).toString(), {
      subscribe: (room) => socket.subscribe(room),
      unsubscribe: (room) => socket.unsubscribe(room),
      send: (room, message) => app.publish(room, message),
    });
    socket.send(text);
  },
});
app.listen("127.0.0.1", port, (listening) => {
  if (!listening) {
    throw new Error(`cannot listen on ${port}`);
  }
  console.log(`chat http://127.0.0.1:${uws.us_socket_local_port(listening)}/`);
});

// npm ws: rooms are sets of sockets. A message is framed once, which its API does not offer; its own
// `send` frames it for each member.
"use strict";

const { WebSocketServer, Sender } = require("ws");
const { answer } = require("./commands");

const rooms = new Map();

function members(room) {
  let found = rooms.get(room);
  if (!found) {
    found = new Set();
    rooms.set(room, found);
  }
  return found;
}

function send(room, message) {
  const frame = Sender.frame(Buffer.from(message), {
    fin: true,
    mask: false,
    opcode: 1,
    readOnly: true,
    rsv1: false,
  });
  const bytes = Buffer.concat(frame);
  for (const socket of members(room)) {
    socket._socket.write(bytes);
  }
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  perMessageDeflate: false,
  clientTracking: false,
});
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const text = answer(data.toString(), {
      subscribe: (room) => members(room).add(socket),
      unsubscribe: (room) => members(room).delete(socket),
      send,
    });
    socket.send(text);
  });
  socket.on("close", () => {
    for (const room of rooms.values()) {
      room.delete(socket);
    }
  });
});
server.on("listening", () => {
  console.log(`chat http://127.0.0.1:${server.address().port}/`);
});

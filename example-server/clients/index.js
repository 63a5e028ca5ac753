// The way into a room.
"use strict";

speak();
element("join").addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`client1.html?room=${encodeURIComponent(element("other").value.trim())}`);
});

// The client of ../browser/client.js in Node.js, with the WebSocket of the package `ws`, which is taken from
// the folder that this is started in:
//
//     npm install ws
//     node client.mjs ws://127.0.0.1:8080/play Ada

import { createRequire } from "node:module";
import { play } from "../browser/client.js";

const { WebSocket } = createRequire(`${process.cwd()}/`)("ws");
const [address, name] = process.argv.slice(2);
try {
  console.log(JSON.stringify(await play(WebSocket, address, name)));
} catch (failure) {
  console.error(String(failure));
  process.exitCode = 1;
}

// SPDX-License-Identifier: MIT
// node node.cjs PACKAGES URL SCENARIO…
"use strict";

const path = require("node:path");
const [packages, url, ...names] = process.argv.slice(2);
globalThis.WebSocket = require(path.join(packages, "ws")); // node 18 has none
const Phoenix = require(path.join(packages, "phoenix"));
require("./scenarios.js");

runScenarios(Phoenix, url, names, (line) => process.stdout.write(line + "\n")).then(() => process.exit(0));

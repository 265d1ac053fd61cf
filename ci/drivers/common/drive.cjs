// SPDX-License-Identifier: MIT
// A driver in node: commands on stdin, events on stdout.

const readline = require("node:readline")
const {driver} = require("./commands.cjs")

console.log = console.error // stdout is for events

exports.drive = (library) => {
  const command = driver(library, (line) => process.stdout.write(line + "\n"))
  readline.createInterface({input: process.stdin}).on("line", command).on("close", () => process.exit(0))
}

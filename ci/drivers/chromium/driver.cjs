// SPDX-License-Identifier: MIT
// phoenix.js in headless Chromium: a page does the commands, and this program carries them there and its events back,
// through the pipes of --remote-debugging-pipe. No packages but phoenix.js itself, which is that of ../phoenix.js.

const {spawn} = require("node:child_process")
const fs = require("node:fs")
const http = require("node:http")
const os = require("node:os")
const path = require("node:path")
const readline = require("node:readline")

const library = path.resolve(process.argv[2] || path.join(__dirname, "../phoenix.js/node_modules/phoenix"))
const {version} = require(path.join(library, "package.json"))
const FILES = {
  "/": ["page.html", "text/html"],
  "/commands.js": ["../common/commands.cjs", "text/javascript"],
  "/phoenix.js": [path.join(library, "priv/static/phoenix.js"), "text/javascript"],
}

// A page needs an origin: phoenix.js looks into sessionStorage.
const site = http.createServer((request, response) => {
  const [name, kind] = FILES[new URL(request.url, "http://localhost").pathname] || []
  response.writeHead(name ? 200 : 404, {"content-type": kind || "text/plain"})
  response.end(name && fs.readFileSync(path.resolve(__dirname, name)))
})

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "phxspec-chromium-"))
const browser = spawn(process.env.CHROMIUM || "chromium", [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-extensions", "--disable-background-networking", "--disable-component-update",
  // a page that nobody looks at has timers as exact as any
  "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank",
], {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]})
const [, , , toBrowser, fromBrowser] = browser.stdio

// However this program ends, even killed, the end of its pipe is the end of the browser and its profile.
spawn("sh", ["-c", 'read -r _; kill -9 "$1"; for _ in 1 2 3 4 5; do sleep 0.2; rm -rf "$2"; done', "sh",
  String(browser.pid), profile], {detached: true, stdio: ["pipe", "ignore", "ignore"]})

browser.on("error", (error) => {
  console.error(`chromium: ${error.message}; install it, or say where it is with CHROMIUM`)
  process.exit(1)
})
browser.on("exit", (code, signal) => {
  console.error(`chromium: ended (${signal || `exit code ${code}`})`)
  process.exit(1)
})
toBrowser.on("error", () => {})

// The DevTools protocol: JSON, each message ended by a NUL.
let asked = 0
const waiting = new Map()
const ask = (method, params, sessionId) => new Promise((answer, fail) => {
  waiting.set(++asked, {answer, fail})
  toBrowser.write(JSON.stringify({id: asked, method, params, sessionId}) + "\0")
})
const told = {
  "Runtime.bindingCalled": ({payload}) => process.stdout.write(payload + "\n"),
  "Runtime.consoleAPICalled": ({args}) => console.error(...args.map((arg) => arg.value ?? arg.description)),
  "Runtime.exceptionThrown": ({exceptionDetails: {exception, text}}) =>
    console.error((exception && exception.description) || text),
}
const take = ({id, method, params, result, error}) => {
  if(id === undefined){ return told[method] && told[method](params) }
  const {answer, fail} = waiting.get(id)
  waiting.delete(id)
  error ? fail(new Error(error.message)) : answer(result)
}
let rest = ""
fromBrowser.setEncoding("utf8").on("data", (text) => {
  const messages = (rest + text).split("\0")
  rest = messages.pop()
  messages.forEach((message) => take(JSON.parse(message)))
})

site.listen(0, "127.0.0.1", async () => {
  const {targetId} = await ask("Target.createTarget", {url: "about:blank"})
  const {sessionId} = await ask("Target.attachToTarget", {targetId, flatten: true})
  await ask("Runtime.enable", {}, sessionId)
  await ask("Runtime.addBinding", {name: "tell"}, sessionId)
  await ask("Page.navigate", {url: `http://127.0.0.1:${site.address().port}/?version=${version}`}, sessionId)
  readline.createInterface({input: process.stdin})
    .on("line", (line) => ask("Runtime.evaluate", {expression: `command(${JSON.stringify(line)})`}, sessionId))
    .on("close", () => process.exit(0))
})

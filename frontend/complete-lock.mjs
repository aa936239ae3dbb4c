// Completes package-lock.json: node frontend/complete-lock.mjs   (after every `npm install` that changed it)
//
// Native tools come as one optional package per platform. Where a registry does not offer some of them, npm leaves them
// out of the lock, and `npm ci` then refuses the lock everywhere. This writes the missing entries: version, and the
// platform that the name tells, so that other machines do not even ask for them. They carry no integrity hash.
import { readFileSync, writeFileSync } from "node:fs"

const file = new URL("package-lock.json", import.meta.url)
const lock = JSON.parse(readFileSync(file, "utf8"))
const packages = lock.packages
const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
]
const processors = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
]

const isLocked = (parent, name) => {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (`${at}${at && "/"}node_modules/${name}` in packages) return true
    if (!at) return false
  }
}

const named = (name, words) => words.find((word) => name.split(/[-/.]/).includes(word))

for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue
    const os = named(name, systems)
    const cpu = named(name, processors)
    const libc = /musl/.test(name) ? "musl" : /gnu/.test(name) ? "glibc" : undefined
    packages[`node_modules/${name}`] = {
      version: version.replace(/^[~^]/, ""),
      ...(cpu && { cpu: [cpu] }),
      ...(entry.dev && { dev: true }),
      ...(libc && { libc: [libc] }),
      optional: true,
      ...(os && { os: [os] }),
    }
    console.log(`added ${name}`)
  }
}

const inOrder = Object.keys(packages).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
lock.packages = Object.fromEntries(inOrder.map((path) => [path, packages[path]]))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)

import { expect, test } from "vitest"

const sheets = import.meta.glob<string>("../features/*/*.css", {
  eager: true,
  query: "?raw",
  import: "default",
})
const sources = import.meta.glob<string>("../**/*.tsx", { eager: true, query: "?raw", import: "default" })
const PARENTHESES = /\([^()]*\)/g
const COMMENTS = /\/\*.*?\*\//gs

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"))
}

/** The classes to which a sheet gives looks wherever they stand: whole selectors of one class. */
function dressed(sheet: string): string[] {
  const selectors = [
    ...sheet
      .replaceAll(COMMENTS, "")
      .replaceAll(PARENTHESES, "")
      .matchAll(/([^{};]+)\{/g),
  ].flatMap(([, one]) => one?.split(",") ?? [])
  return selectors.flatMap((selector) => /^\.([a-z][\w-]*)$/.exec(selector.trim())?.[1] ?? [])
}

/** The classes that a source file gives to what it draws. */
function worn(source: string): Set<string> {
  const lists = source.matchAll(/className=(?:"([^"]*)"|\{`([^`]*)`\})/g)
  return new Set([...lists].flatMap(([, plain, built]) => (plain ?? built ?? "").split(/[^\w-]+/)))
}

test("the sheet of one feature, which stays when one goes on, dresses nothing of another", () => {
  const wearers = Object.entries(sources).map(([path, source]) => ({ path, classes: worn(source) }))
  const strangers = Object.entries(sheets).flatMap(([sheet, text]) =>
    dressed(text).flatMap((name) =>
      wearers
        .filter(({ path, classes }) => folderOf(path) !== folderOf(sheet) && classes.has(name))
        .map(({ path }) => `.${name} of ${sheet} in ${path}`),
    ),
  )
  expect(Object.values(sheets).flatMap(dressed).length).toBeGreaterThan(0)
  expect(strangers).toEqual([])
})

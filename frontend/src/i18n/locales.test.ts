import { expect, test } from "vitest"

const files = import.meta.glob<object>("./locales/*/*.json", { eager: true, import: "default" })

function keysOf(words: object, before = ""): string[] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === "object" && value !== null ? keysOf(value, `${before}${key}.`) : [`${before}${key}`],
  )
}

function wordsOf(words: object): string[] {
  return Object.values(words).flatMap((value) =>
    typeof value === "object" && value ? wordsOf(value) : [String(value)],
  )
}

const english = Object.keys(files).filter((path) => path.includes("/en/"))

test.each(english)("%s says in Chinese all that it says in English", (path) => {
  const chinese = files[path.replace("/en/", "/zh/")]
  expect(chinese && keysOf(chinese).sort()).toEqual(keysOf(files[path] ?? {}).sort())
})

test.each(english)("%s leaves no word empty", (path) => {
  for (const words of [files[path], files[path.replace("/en/", "/zh/")]]) {
    expect(wordsOf(words ?? {}).every((word) => word.trim() !== "")).toBe(true)
  }
})

test.each(english)("%s fills in the same values in both languages", (path) => {
  const holes = (words: object | undefined) =>
    new Set(
      wordsOf(words ?? {}).flatMap((word) => [...word.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1])),
    )
  expect(holes(files[path.replace("/en/", "/zh/")])).toEqual(holes(files[path]))
})

/** One thing that an act changed, as text; null: it was not there, or is not there any more. */
export type Change = { name: string; before: string | null; after: string | null }

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}

function fieldsOf(value: unknown): Map<string, unknown> {
  if (value === null || value === undefined) return new Map()
  if (typeof value === "object" && !Array.isArray(value)) return new Map(Object.entries(value))
  return new Map([["", value]])
}

/** What is different between before and after, field by field, in the order in which it was told. */
export function changesOf(before: unknown, after: unknown): Change[] {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)]
  const names = [...new Set([...old.keys(), ...fresh.keys()])]
  return names.map((name) => ({
    name,
    before: old.has(name) ? textOf(old.get(name)) : null,
    after: fresh.has(name) ? textOf(fresh.get(name)) : null,
  }))
}

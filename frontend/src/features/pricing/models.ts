// What the pricing page knows about a model: which meters stand in the columns, and which need words of their own.
import type { PricedModel } from "../../api/types"

export type Rate = { rate: number; per: number }
export type Vendor = { name: string | null; models: PricedModel[] }

const COLUMNS = ["input", "cached_input", "output"]

/** The rate of a column; cached input without a rate of its own is charged like input. */
export function columnRate(
  rates: PricedModel["rates"],
  meter: string,
): { rate: Rate | null; isInherited: boolean } {
  const own = rates[meter]
  if (own) return { rate: own, isInherited: false }
  const input = meter === "cached_input" ? rates.input : undefined
  return { rate: input ?? null, isInherited: input !== undefined }
}

/** The meters without a column, the fixed part of a call apart. */
export function otherMeters(rates: PricedModel["rates"]): [meter: string, rate: Rate][] {
  return Object.entries(rates).filter(
    (entry): entry is [string, Rate] =>
      !COLUMNS.includes(entry[0]) && entry[0] !== "request" && entry[1] !== undefined,
  )
}

export function hasTokenRates(model: PricedModel): boolean {
  return COLUMNS.some((meter) => model.rates[meter] !== undefined)
}

/** The one meter of a model that is not charged by the token: an image, a search, a call. */
export function soleMeter(model: PricedModel): [meter: string, rate: Rate] | null {
  if (hasTokenRates(model)) return null
  const request = model.rates.request
  return otherMeters(model.rates)[0] ?? (request ? ["request", request] : null)
}

/** Every word must occur in the name or the vendor. */
export function matchingModels(
  models: PricedModel[],
  text: string,
  vendor: string | undefined,
): PricedModel[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return models.filter(
    (model) =>
      (!vendor || (model.vendor ?? "") === vendor) &&
      words.every((word) => `${model.model} ${model.vendor ?? ""}`.toLowerCase().includes(word)),
  )
}

/** Vendors by name, those without one last; models by name. */
export function byVendor(models: PricedModel[]): Vendor[] {
  const vendors = new Map<string, PricedModel[]>()
  for (const model of models) {
    const name = model.vendor ?? ""
    vendors.set(name, [...(vendors.get(name) ?? []), model])
  }
  return [...vendors]
    .sort(([a], [b]) => Number(a === "") - Number(b === "") || a.localeCompare(b))
    .map(([name, found]) => ({
      name: name || null,
      models: found.sort((a, b) => a.model.localeCompare(b.model, "en", { numeric: true })),
    }))
}

import { describe, expect, it } from "vitest"
import type { Offer } from "../../api/types"
import { bonusPercent, choiceOf, methodOf, NOTHING, typedProblem } from "./choice"

const METHOD: Offer = {
  id: "card",
  label: "Card",
  text: "",
  currency: "USD",
  exponent: 2,
  minimum: 500,
  maximum: 50_000,
  custom_amount: true,
  quota_per_minor_unit: 10_000_000,
  fee: { fixed: 0, micros: 0 },
  packages: [
    { id: "p10", label: "Try it", amount: 1000, fee: 0, total: 1000, quota: 10_000_000_000, bonus_quota: 0 },
  ],
}

describe("a choice", () => {
  it("is a package of the method, or an amount within its bounds", () => {
    expect(choiceOf(METHOD, { ...NOTHING, package: "p10" })).toEqual({ method: "card", package: "p10" })
    expect(choiceOf(METHOD, { ...NOTHING, typed: "12.34" })).toEqual({ method: "card", amount: 1234 })
    for (const typed of ["", "4.99", "500.01", "1.234", "many"])
      expect(choiceOf(METHOD, { ...NOTHING, typed })).toBeNull()
    expect(choiceOf(undefined, NOTHING)).toBeNull()
  })

  it("forgets a package that the other method does not sell", () => {
    const bank = { ...METHOD, id: "bank", packages: [] }
    const chosen = { method: "bank", package: "p10", typed: "" }
    expect(methodOf([METHOD, bank], chosen)).toBe(bank)
    expect(choiceOf(bank, chosen)).toBeNull()
  })

  it("is never an amount where only packages are sold", () => {
    expect(choiceOf({ ...METHOD, custom_amount: false }, { ...NOTHING, typed: "12.34" })).toBeNull()
  })

  it("says what is wrong with what was typed", () => {
    const wrong = (typed: string) => typedProblem(METHOD, { ...NOTHING, typed })
    expect(["", "x", "1", "501", "20"].map(wrong)).toEqual([null, "unreadable", "minimum", "maximum", null])
  })

  it("shows a bonus only where there is one", () => {
    expect(bonusPercent(1000, 125)).toBe("12.5")
    expect(bonusPercent(50_000_000_000, 500_000_000)).toBe("1")
    expect(bonusPercent(1000, 0)).toBeNull()
    expect(bonusPercent(1_000_000, 1)).toBeNull()
  })
})

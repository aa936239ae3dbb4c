import { describe, expect, test } from "vitest"
import {
  amountInput,
  balanceFigure,
  balanceText,
  ceilDiv,
  costFigure,
  costText,
  countText,
  currencySign,
  exactAmount,
  multiplierText,
  parseAmount,
  rateText,
  windowText,
} from "./quota"

const UNIT = 1_000_000_000

describe("amounts", () => {
  test("an exact amount keeps every digit and at least two decimals", () => {
    expect(exactAmount(128_406_120_482, UNIT)).toBe("128.406120482")
    expect(exactAmount(10 * UNIT, UNIT)).toBe("10.00")
    expect(exactAmount(0, UNIT)).toBe("0.00")
    expect(exactAmount(-6 * UNIT, UNIT)).toBe("−6.00")
  })
  test("a subtotal with a fraction of one quota stays exact", () => {
    expect(exactAmount("214000.5", UNIT)).toBe("0.0002140005")
  })
  test("sums beyond the safe integers of JavaScript stay exact", () => {
    expect(exactAmount("9007199254740993000000001", UNIT)).toBe("9,007,199,254,740,993.000000001")
    expect(countText("9007199254740993")).toBe("9,007,199,254,740,993")
  })
  test("a balance is cut and never rounded up", () => {
    expect(balanceFigure(128_406_120_999, UNIT)).toEqual({ sign: "", lead: "", main: "128.40", tail: "6120" })
    expect(balanceText(999_999_999, UNIT)).toBe("0.99")
  })
  test("a small cost keeps its digits and its zeros step back", () => {
    expect(costFigure(214_000, UNIT)).toEqual({ sign: "", lead: "0.000", main: "214", tail: "" })
    expect(costText(1_204_800_000, UNIT)).toBe("1.204800")
  })
  test("a cost below a millionth still shows its first digit", () => {
    expect(costText(1, UNIT)).toBe("0.000000001")
    expect(costText(420, UNIT)).toBe("0.0000004")
  })
  test("nothing reads as nothing", () => {
    expect(costText(0, UNIT)).toBe("0.000000")
  })
})

describe("typing an amount", () => {
  test("commas and spaces are allowed, a unit finer than one quota is not", () => {
    expect(parseAmount("1,234.5", UNIT)).toBe(1_234_500_000_000)
    expect(parseAmount(" .5 ", UNIT)).toBe(500_000_000)
    expect(parseAmount("0.0000000001", UNIT)).toBeNull()
    expect(parseAmount("-3", UNIT)).toBe(-3_000_000_000)
    for (const bad of ["", ".", "abc", "1.2.3", "99999999999999"]) expect(parseAmount(bad, UNIT)).toBeNull()
  })
  test("what an input shows reads back as the same quota", () => {
    for (const quota of [0, 1, 214_000, 128_406_120_482, -5 * UNIT]) {
      expect(parseAmount(amountInput(quota, UNIT), UNIT)).toBe(quota)
    }
  })
})

describe("rates", () => {
  test("a rate per million is shown after its multiplier", () => {
    expect(rateText({ rate: 2_500_000_000, per: 1_000_000 }, 800_000, 1_000_000, UNIT)).toBe("2.00")
    expect(rateText({ rate: 312_500_000, per: 1_000_000 }, 1_000_000, 1_000_000, UNIT)).toBe("0.3125")
  })
  test("the same rate per thousand loses no digit", () => {
    expect(rateText({ rate: 160_000_001, per: 1_000_000 }, 1_000_000, 1_000, UNIT)).toBe("0.000160000001")
  })
  test("a multiplier reads as what it does", () => {
    expect(multiplierText(1_500_000)).toBe("×1.5")
    expect(multiplierText(1_000_000)).toBe("×1")
    expect(multiplierText(333_333)).toBe("×0.333333")
  })
  test("rounding up happens at the last unit only", () => {
    expect(ceilDiv(10n, 5n)).toBe(2n)
    expect(ceilDiv(11n, 5n)).toBe(3n)
  })
})

test("a context window reads as its vendor writes it", () => {
  expect([128_000, 131_072, 1_000_000, 1_048_576, 512].map(windowText)).toEqual([
    "128K",
    "128K",
    "1M",
    "1M",
    "512",
  ])
})

test("a currency without a sign shows its code", () => {
  expect(currencySign("USD")).toBe("$")
  expect(currencySign("CNY")).toBe("¥")
  expect(currencySign("no such")).toBe("no such")
})

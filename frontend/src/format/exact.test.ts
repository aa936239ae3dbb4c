import { describe, expect, test } from "vitest"
import { columnDecimals, exactFigure, shortAmount, shortCount, shortDecimals } from "./exact"

const UNIT = 1_000_000_000

describe("an exact figure", () => {
  test("keeps cents in ink and the rest quiet", () => {
    expect(exactFigure(61_650_139_520, UNIT)).toEqual({ sign: "", lead: "", main: "61.65", tail: "013952" })
  })
  test("quietens the zeros before an amount below a cent", () => {
    expect(exactFigure(406_400, UNIT)).toEqual({ sign: "", lead: "0.000", main: "4064", tail: "" })
    expect(exactFigure(10_000_000, UNIT)).toEqual({ sign: "", lead: "", main: "0.01", tail: "" })
  })
  test("pads to the decimals of its column and never cuts", () => {
    expect(exactFigure(-2 * UNIT, UNIT, 6)).toEqual({ sign: "−", lead: "", main: "2.00", tail: "0000" })
    expect(exactFigure(1, UNIT, 2)).toEqual({ sign: "", lead: "0.00000000", main: "1", tail: "" })
  })
  test("of nothing is nothing", () => {
    expect(exactFigure(0, UNIT, 4)).toEqual({ sign: "", lead: "", main: "0.00", tail: "00" })
  })
})

test("a column has as many decimals as its finest amount", () => {
  expect(columnDecimals([UNIT, 406_400], UNIT)).toBe(7)
  expect(columnDecimals([], UNIT)).toBe(2)
})

test("the labels of an axis agree on their decimals", () => {
  const label = (marks: bigint[]) => marks.map((mark) => shortAmount(mark, UNIT, shortDecimals(marks, UNIT)))
  expect(label([0n, 2_000_000_000n, 4_000_000_000n])).toEqual(["0", "2", "4"])
  expect(label([250_000_000n, 500_000_000n, 1_000_000_000n])).toEqual(["0.25", "0.50", "1.00"])
  expect(label([500_000n, 1_000_000n])).toEqual(["0.0005", "0.0010"])
})

test("a large count is cut to three figures", () => {
  expect(shortCount(84_612_345n)).toEqual({ figure: "84.6", suffix: "M" })
  expect(shortCount(1_899n)).toEqual({ figure: "1,899", suffix: "" })
  expect(shortCount(999_999n)).toEqual({ figure: "999", suffix: "K" })
  expect(shortCount(1_048_576_000n)).toEqual({ figure: "1.04", suffix: "B" })
})

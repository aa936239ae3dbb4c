import { describe, expect, it } from "vitest"
import { minorText, moneyText, parseMinor, shortMoney } from "./minor"

describe("minor units", () => {
  it("are written with all places of their currency", () => {
    expect(minorText(123450, 2)).toBe("1,234.50")
    expect(minorText(5, 2)).toBe("0.05")
    expect(minorText(123450, 0)).toBe("123,450")
    expect(minorText(12345, 3)).toBe("12.345")
    expect(minorText(-5, 2)).toBe("−0.05")
  })

  it("carry the sign or the code of their currency", () => {
    expect(moneyText(1250, "USD", 2)).toBe("$12.50")
    expect(moneyText(1250, "CNY", 2)).toBe("¥12.50")
    expect(moneyText(1250, "CHF", 2)).toBe("CHF 12.50")
    expect(shortMoney(5000, "USD", 2)).toBe("$50")
    expect(shortMoney(4990, "USD", 2)).toBe("$49.90")
    expect(shortMoney(5000, "JPY", 0)).toBe("¥5,000")
  })

  it("are read as typed, and never rounded", () => {
    expect(parseMinor("12.5", 2)).toBe(1250)
    expect(parseMinor(" 1,000 ", 2)).toBe(100_000)
    expect(parseMinor(".5", 2)).toBe(50)
    expect(parseMinor("500", 0)).toBe(500)
    expect(parseMinor("500.00", 0)).toBe(500)
    for (const text of ["", ".", "0", "-5", "1e3", "12.345", "abc", "99999999999999999"])
      expect(parseMinor(text, 2)).toBeNull()
  })
})

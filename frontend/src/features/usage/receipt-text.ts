// A receipt as plain text, for a message or a ticket. The same figures as on the page, none rounded.
import type { Receipt } from "../../api/types"
import {
  countText,
  difference,
  exactAmount,
  multiplierText,
  paddedAmount,
  rateText,
  sharedDecimals,
} from "../../format/quota"

export type ReceiptWords = {
  title: string
  meter: (name: string) => string
  subtotal: string
  group: (name: string) => string
  total: string
  charged: string
  each: string
  /** Name and value of what stands above the meters: when, model, key. */
  facts: [name: string, value: string][]
}

const MILLION = 1_000_000

/** Columns as wide as their widest cell, the first to the left, the others to the right. */
function aligned(rows: [string, string, string][]): string[] {
  const width = (column: 0 | 1 | 2) => Math.max(0, ...rows.map((row) => row[column].length))
  const widths = [width(0), width(1), width(2)] as const
  return rows.map(([name, middle, amount]) =>
    `${name.padEnd(widths[0])}  ${middle.padStart(widths[1])}  ${amount.padStart(widths[2])}`.trimEnd(),
  )
}

export function receiptText(receipt: Receipt, unit: number, currency: string, words: ReceiptWords): string {
  const change = difference(receipt.cost, receipt.subtotal)
  const amounts = receipt.lines.map((line) => line.amount)
  const decimals = sharedDecimals([...amounts, receipt.subtotal, receipt.cost, receipt.charged, change], unit)
  const shown = (quota: number | string) => paddedAmount(quota, unit, decimals)
  const rows: [string, string, string][] = receipt.lines.map((line) => [
    words.meter(line.meter),
    `${countText(line.quantity)} × ${rateText(line, MILLION, line.per === 1 ? 1 : MILLION, unit)} ${
      line.per === 1 ? words.each : "/ 1M"
    }`,
    shown(line.amount),
  ])
  rows.push(
    [words.subtotal, "", shown(receipt.subtotal)],
    [words.group(receipt.group), multiplierText(receipt.multiplier_micros), shown(change)],
    [words.total, "", shown(receipt.cost)],
  )
  if (receipt.charged !== receipt.cost) rows.push([words.charged, "", shown(receipt.charged)])
  const wide = Math.max(...words.facts.map(([name]) => name.length))
  return [
    `${words.title} ${receipt.request_id}`,
    ...words.facts.map(([name, value]) => `${name.padEnd(wide)}  ${value}`),
    "",
    ...aligned(rows),
    "",
    `${words.charged}: ${currency} ${exactAmount(receipt.charged, unit)}`,
  ].join("\n")
}

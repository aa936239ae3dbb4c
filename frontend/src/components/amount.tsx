import { useSuspenseQuery } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import { statusQuery } from "../api/queries"
import {
  balanceFigure,
  balanceText,
  costFigure,
  countText,
  currencySign,
  decimalsOf,
  exactAmount,
  type Figure,
  type Quota,
} from "../format/quota"

export type Ledger = { unit: number; currency: string; sign: string }

/** The currency of this installation and how much quota one unit of it is. */
export function useLedger(): Ledger {
  const { data } = useSuspenseQuery(statusQuery)
  const { symbol, factor_micros } = data.display
  // A display factor other than 1 is another currency, for reading only; amounts here are the ledger's own.
  const own = factor_micros === 1_000_000 ? symbol : null
  return { unit: data.quota_per_unit, currency: data.currency, sign: own || currencySign(data.currency) }
}

/** The digits after the cents. Where all are zeros they keep their place and are not seen, so points stay in line. */
function Tail({ digits }: { digits: string }) {
  if (/[1-9]/.test(digits)) return <span className="q">{digits}</span>
  return (
    <span className="q pad" aria-hidden="true">
      {digits}
    </span>
  )
}

function Parts({ figure, sign, plus }: { figure: Figure; sign?: string; plus?: boolean }) {
  return (
    <>
      {plus && figure.sign === "" ? "+" : figure.sign}
      {sign && <span className="cur">{sign}</span>}
      {figure.lead && <span className="q">{figure.lead}</span>}
      {figure.main}
      {figure.tail && <Tail digits={figure.tail} />}
    </>
  )
}

type Props = {
  quota: Quota
  /** `cost`: six decimals, zeros quiet. `balance`: cents, the rest quiet, cut. `exact`: every digit. */
  as?: "cost" | "balance" | "exact"
  /** Shows the currency's sign; leave it out in a column, whose head carries it once. */
  withSign?: boolean
  /** Shows a plus before what came in. */
  plus?: boolean
  /** For `exact`: lines up the points of a column with invisible zeros. */
  decimals?: number
}

/** An amount of quota in the ledger's currency; the exact value and the quota are in its title. */
export function Amount({ quota, as = "exact", withSign, plus, decimals = 0 }: Props) {
  const { t } = useTranslation()
  const { unit, sign } = useLedger()
  const title = `${sign}${exactAmount(quota, unit)} · ${t("quota", { quota: typeof quota === "string" && quota.includes(".") ? quota : countText(quota) })}`
  const shown: Figure =
    as === "cost"
      ? costFigure(quota, unit)
      : as === "balance"
        ? balanceFigure(quota, unit)
        : exactFigure(quota, unit)
  const missing = as === "exact" ? Math.max(0, decimals - decimalsOf(quota, unit)) : 0
  return (
    <span className="fig" title={title}>
      <Parts figure={shown} sign={withSign ? sign : undefined} plus={plus} />
      {missing > 0 && (
        <span className="pad" aria-hidden="true">
          {"0".repeat(missing)}
        </span>
      )}
    </span>
  )
}

function exactFigure(quota: Quota, unit: number): Figure {
  const text = exactAmount(quota, unit)
  return text.startsWith("−")
    ? { sign: "−", lead: "", main: text.slice(1), tail: "" }
    : { sign: "", lead: "", main: text, tail: "" }
}

/** Nothing was charged or nothing applies: an en dash, never a zero. */
export function Nothing() {
  return <span className="q">–</span>
}

const COUNT_MS = 900

/** A balance that counts to its new value when it changes, so that a top-up is seen to arrive. */
export function CountingBalance({ quota, withSign }: { quota: number; withSign?: boolean }) {
  const shown = useCounting(quota)
  const { unit, sign } = useLedger()
  const { t } = useTranslation()
  return (
    <span
      className="fig"
      title={`${sign}${exactAmount(quota, unit)} · ${t("quota", { quota: countText(quota) })}`}
    >
      <span aria-hidden="true">
        <Parts figure={balanceFigure(shown, unit)} sign={withSign ? sign : undefined} />
      </span>
      <span className="sr-only">
        {withSign && sign}
        {balanceText(quota, unit)}
      </span>
    </span>
  )
}

function useCounting(target: number): number {
  const [shown, setShown] = useState(target)
  const from = useRef(target)
  useEffect(() => {
    const start = from.current
    if (start === target) return
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches
    const began = performance.now()
    let frame = 0
    const step = (now: number) => {
      const part = still ? 1 : Math.min(1, (now - began) / COUNT_MS)
      const value = part === 1 ? target : Math.round(start + (target - start) * (1 - (1 - part) ** 3))
      from.current = value
      setShown(value)
      if (part < 1) frame = requestAnimationFrame(step)
    }
    frame = requestAnimationFrame(step)
    return () => cancelAnimationFrame(frame)
  }, [target])
  return shown
}

import { useQuery } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import type { Summary } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { shortCount } from "../../format/exact"
import { countText } from "../../format/quota"
import { type DayCost, dayOf, sumOf } from "./days"
import { failedQuery } from "./queries"
import { type Tokens, tokensIn } from "./tokens"

const MONTH = 30

/** Cents where they say it, all six digits where cents would hide it. */
function Spent({ quota }: { quota: bigint }) {
  const { unit } = useLedger()
  if (quota === 0n) return <span className="q">–</span>
  const isCents = quota * 100n >= BigInt(unit)
  return (
    <span className={isCents ? "cents" : undefined}>
      <Amount quota={quota} as={isCents ? "balance" : "cost"} withSign />
    </span>
  )
}

function Before({ quota }: { quota: bigint }) {
  const { t } = useTranslation("dashboard")
  return quota === 0n ? t("tile.nothing") : <Spent quota={quota} />
}

function Tile({ title, figure, text }: { title: string; figure: ReactNode; text: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd className="fig">{figure}</dd>
      <dd className="more">{text}</dd>
    </div>
  )
}

function TokenTile({ tokens }: { tokens: Tokens }) {
  const { t } = useTranslation("dashboard")
  const { figure, suffix } = shortCount(tokens.all)
  return (
    <Tile
      title={t("tile.tokens")}
      figure={
        <span className="count" title={countText(tokens.all)}>
          {figure}
          <span className="q">{suffix}</span>
        </span>
      }
      text={
        tokens.cached > 0n &&
        t("tile.cached", { percent: String((tokens.cached * 100n + tokens.input / 2n) / tokens.input) })
      }
    />
  )
}

/** `days` is the longest line of days, today last; `items` the same as the API gave it. */
export function Tiles({ days, items, now }: { days: DayCost[]; items: Summary["items"]; now: number }) {
  const { t, i18n } = useTranslation("dashboard")
  const today = days.at(-1)
  const weekAgo = days.at(-8)
  const month = days.slice(-MONTH)
  const firstDay = dayOf(now, MONTH - 1)
  const lately = items.filter((item) => item.key.slice(0, 10) >= firstDay)
  const weekday = new Intl.DateTimeFormat(i18n.language, { weekday: "long" }).format(new Date(now))
  const { data: failed } = useQuery(failedQuery(now, MONTH))
  return (
    <dl className="strip">
      <Tile
        title={t("tile.today")}
        figure={<Spent quota={today?.charged ?? 0n} />}
        text={
          <>
            <Before quota={weekAgo?.charged ?? 0n} /> {t("tile.lastWeekday", { weekday })}
          </>
        }
      />
      <Tile
        title={t("tile.week")}
        figure={<Spent quota={sumOf(days.slice(-7))} />}
        text={
          <>
            <Before quota={sumOf(days.slice(-14, -7))} /> {t("tile.weekBefore")}
          </>
        }
      />
      <Tile
        title={t("tile.requests")}
        figure={countText(month.reduce((sum, { requests }) => sum + requests, 0n))}
        text={
          failed === undefined
            ? ""
            : failed === 0
              ? t("tile.noneFailed")
              : t("tile.failed", { count: failed, figure: countText(failed) })
        }
      />
      <TokenTile tokens={tokensIn(lately)} />
    </dl>
  )
}

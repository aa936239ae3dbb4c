import { TrendingDown } from "lucide-react"
import { useTranslation } from "react-i18next"
import { Amount } from "../../components/amount"
import { dayLabel } from "../../format/log-time"
import { dayOf } from "./days"
import type { Runway } from "./runway"

const WIDTH = 560
const HEIGHT = 97
const TOP = 12
const LONGEST_DAYS = 730
/** Where in the width (percent) the last day is written: beyond it today or the axis' end would be overwritten. */
const ROOM = { from: 16, end: 80, edge: 86 }
const ROOM_WITH_YEARS = { from: 28, end: 56, edge: 76 }

function Line({ runway, now }: { runway: Runway; now: number }) {
  const { t, i18n } = useTranslation("dashboard")
  const end = Math.max(1, Math.ceil(Math.min(LONGEST_DAYS, runway.slow ?? runway.days) * 1.12), runway.days)
  const x = (day: number) => (Math.min(day, end) * WIDTH) / end
  const year = new Date(now).getFullYear()
  const at = (day: number) => dayLabel(dayOf(now, -day), i18n.language, { year })
  const share = (runway.days / end) * 100
  const room = dayOf(now, -end).startsWith(String(year)) ? ROOM : ROOM_WITH_YEARS
  return (
    <>
      <div className="rw">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={t("runway.chart", { day: at(runway.days) })}
        >
          {runway.fast !== null && runway.slow !== null && (
            <path
              d={`M0 ${TOP} L${x(runway.fast)} ${HEIGHT - 1} L${x(runway.slow)} ${HEIGHT - 1} Z`}
              fill="var(--accent-soft)"
            />
          )}
          <path className="ln" d={`M0 ${TOP} L${x(runway.days)} ${HEIGHT - 1}`} />
          <path className="bs" d={`M0 ${HEIGHT - 0.5} H${WIDTH}`} />
        </svg>
      </div>
      <div className="rx text-12 text-ink-3" aria-hidden="true">
        <span className="start">{t("today")}</span>
        {share > room.from && (
          <span
            className={share > room.edge ? "end" : undefined}
            style={share > room.edge ? undefined : { left: `${share}%` }}
          >
            <b>{at(runway.days)}</b>
          </span>
        )}
        {share < room.end && <span className="end">{at(end)}</span>}
      </div>
    </>
  )
}

/** When the balance runs out at the pace of the last days; without a whole day of calls it says what it waits for. */
export function RunwayChart({ runway, now }: { runway: Runway | null; now: number }) {
  const { t, i18n } = useTranslation("dashboard")
  if (!runway) {
    return (
      <section className="runway none-yet">
        <TrendingDown className="i" aria-hidden="true" />
        <h2>{t("runway.none")}</h2>
        <p>{t("runway.noneText")}</p>
      </section>
    )
  }
  const isLong = runway.days > LONGEST_DAYS
  return (
    <section className="runway" aria-labelledby="runway">
      <div className="flex justify-between gap-3 text-12 text-ink-3">
        <h2 id="runway" className="head-12">
          {t("runway.title", { count: runway.basis })}
        </h2>
        <span className="nowrap">
          <Amount quota={runway.pace} as="cost" withSign /> {t("runway.aDay")}
        </span>
      </div>
      <div className="days">
        <b>
          {isLong
            ? t("runway.long")
            : runway.days === 0
              ? t("runway.short")
              : t("runway.days", { count: runway.days })}
        </b>
        {!isLong && runway.days > 0 && (
          <span className="text-ink-2">
            {t("runway.until", {
              day: dayLabel(dayOf(now, -runway.days), i18n.language, {
                hasWeekday: true,
                year: new Date(now).getFullYear(),
              }),
            })}
          </span>
        )}
      </div>
      {!isLong && <Line runway={runway} now={now} />}
      {!isLong && runway.fast !== null && runway.slow !== null && (
        <p className="help mt-1">
          {t("runway.band", { fast: runway.fast, slow: Math.min(runway.slow, LONGEST_DAYS) })}
        </p>
      )}
    </section>
  )
}

// A moment in a log: near ones relative, today's by the clock, older ones with their day.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

function locale(language: string): string {
  return language === "en" ? "en-GB" : language
}

export type LogTime = { time: string; day: string | null }

export function logTime(at: string, now: number, language: string): LogTime {
  const date = new Date(at)
  const ago = now - date.getTime()
  if (ago < HOUR_MS) {
    const words = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" })
    const minutes = Math.floor(Math.max(0, ago) / MINUTE_MS)
    return { time: minutes === 0 ? words.format(0, "second") : words.format(-minutes, "minute"), day: null }
  }
  const isToday = date.toDateString() === new Date(now).toDateString()
  return { time: clock(date, language), day: isToday ? null : shortDay(date, now, language) }
}

function clock(date: Date, language: string): string {
  return new Intl.DateTimeFormat(locale(language), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(date)
}

function shortDay(date: Date, now: number, language: string): string {
  const isThisYear = date.getFullYear() === new Date(now).getFullYear()
  return new Intl.DateTimeFormat(locale(language), {
    day: "numeric",
    month: "short",
    ...(isThisYear ? {} : { year: "numeric" }),
  }).format(date)
}

/** "14:29:31, today" on a receipt; another day by its date. */
export function clockAndDay(at: string, now: number, language: string): string {
  const date = new Date(at)
  const apart = new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)
  const days = Math.round(apart / (24 * HOUR_MS))
  const day =
    days === 0 || days === 1
      ? new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-days, "day")
      : shortDay(date, now, language)
  return language === "zh" ? `${day} ${clock(date, language)}` : `${clock(date, language)}, ${day}`
}

/** A calendar day ("2026-11-22") without a zone: "22 Nov", or with its weekday; with the year where it is not `year`. */
export function dayLabel(
  day: string,
  language: string,
  { hasWeekday = false, year }: { hasWeekday?: boolean; year?: number } = {},
): string {
  return new Intl.DateTimeFormat(locale(language), {
    day: "numeric",
    month: "short",
    ...(hasWeekday && { weekday: "short" }),
    ...(year !== undefined && !day.startsWith(String(year)) && { year: "numeric" }),
    timeZone: "UTC",
  })
    .format(new Date(`${day}T00:00:00Z`))
    .replace(",", "")
}

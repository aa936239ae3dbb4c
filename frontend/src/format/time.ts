// Times: relative to read, exact to check, always in the reader's zone.

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
]

/** "3 minutes ago", "in 2 days"; a date beyond a week. */
export function relativeTime(at: string, now: number, language: string): string {
  const apart = Date.parse(at) - now
  if (Math.abs(apart) > 7 * 86_400_000) return shortDate(at, now, language)
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" })
  for (const [unit, size] of STEPS) {
    if (Math.abs(apart) >= size) return words.format(Math.trunc(apart / size), unit)
  }
  return words.format(0, "second")
}

/** "22 Nov", with the year where it is another one. */
export function shortDate(at: string, now: number, language: string): string {
  const date = new Date(at)
  const sameYear = date.getFullYear() === new Date(now).getFullYear()
  return new Intl.DateTimeFormat(dateLocale(language), {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  }).format(date)
}

/** "22 Nov, 14:31". */
export function dayAndTime(at: string, language: string): string {
  return new Intl.DateTimeFormat(dateLocale(language), {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at))
}

/** Everything, to the second and with the zone, for a title. */
export function exactTime(at: string, language: string): string {
  return new Intl.DateTimeFormat(dateLocale(language), {
    dateStyle: "long",
    timeStyle: "long",
    hourCycle: "h23",
  }).format(new Date(at))
}

/** Day before month in English, as the figures of a ledger are read in most of the world. */
function dateLocale(language: string): string {
  return language === "en" ? "en-GB" : language
}

/** The value of a datetime-local input for an instant, and back. */
export function toLocalInput(at: string): string {
  const date = new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export function fromLocalInput(text: string): string | null {
  const date = new Date(text)
  return text === "" || Number.isNaN(date.getTime()) ? null : date.toISOString()
}
